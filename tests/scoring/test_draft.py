"""A draft is named in its result, stands beside the row itself, and is never ranked or compared."""

from __future__ import annotations

import re

import pytest
import torch

from foleybench.artefacts import draft
from foleybench.artefacts import result as results
from foleybench.artefacts.entries import read_all, read_entry
from foleybench.cli import main
from foleybench.errors import EXIT_ERROR, EXIT_OK, EXIT_PARTIAL, FoleyError, ResultError
from foleybench.leaderboard.board import make_boards
from foleybench.leaderboard.compare import compare_entries
from foleybench.leaderboard.submission import examine
from foleybench.leaderboard.tables import board_csv, board_markdown
from foleybench.media.audio import write_wav
from foleybench.runtime.precision import DRAFT
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.shards.dataset import ShardDataset

METRICS = ("kld_mini", "level_difference")


@pytest.fixture
def units(monkeypatch):
    """A processor with bfloat16 units; here they may be emulated, which is right, and slow."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})


@pytest.fixture
def quieter(clicks, tmp_path):
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(tmp_path / "audio" / f"{clip.clip_id}.wav", clip.audio[::-1] * 0.5, clip.rate_hz)
    return tmp_path / "audio"


def asked(clicks, audio, tmp_path, **more):
    model = {"name": "mine", "title": "Mine", "kind": "folder"}
    return EvalRequest(
        data=clicks, audio=audio, protocol=None, metrics=METRICS, model=model, cache=tmp_path / "cache", **more
    )


@pytest.fixture
def both(units, clicks, quieter, tmp_path):
    """The paths of a row and its draft, in one folder of results."""
    folder = tmp_path / "results"
    found = []
    for more in ({}, {"precision": DRAFT}, {}):  # The row is made again after its draft.
        found.append(results.write_result(folder, *evaluate(asked(clicks, quieter, tmp_path, **more))))
    return found[2], found[1]


def test_a_draft_says_so_in_name_title_status_and_run(both):
    row, rough = (results.read_result(path) for path in both)
    assert (rough["model"]["name"], rough["model"]["title"]) == ("mine+draft", "draft (bf16): Mine")
    assert (rough["status"], rough["run"]["precision"]) == ("draft", "bf16")
    assert (row["model"]["name"], row["status"], "precision" in row["run"]) == ("mine", "complete", False)
    exact, near = (record["metrics"]["kld_mini"]["value"] for record in (row, rough))
    assert 0 < abs(near - exact) < 0.02 * exact
    assert rough["metrics"]["level_difference"]["value"] == row["metrics"]["level_difference"]["value"]


def test_a_row_is_the_same_after_its_draft_was_made_from_the_same_cache(units, clicks, quieter, tmp_path):
    evaluate(asked(clicks, quieter, tmp_path, precision=DRAFT))
    after = evaluate(asked(clicks, quieter, tmp_path))[0]
    fresh = evaluate(asked(clicks, quieter, tmp_path / "elsewhere"))[0]
    assert after["metrics"] == fresh["metrics"]


def test_tables_show_a_draft_as_such_and_do_not_rank_it(both, tmp_path):
    board = make_boards(read_all(tmp_path / "results"))[0]
    found = {row.entry.row_name: row for row in board.rows}
    assert set(found) == {"mine", "mine+draft"}
    assert found["mine+draft"].why_unranked == draft.WHY
    assert all(cell.standing is None for cell in found["mine+draft"].cells.values())
    assert found["mine"].cells["kld_mini"].standing is not None
    assert all("mine+draft" not in pair[:2] for pairs in board.comparisons.values() for pair in pairs)
    text = board_markdown([board])
    assert re.search(r"^\| draft \(bf16\): Mine .*\(not ranked\)", text, re.MULTILINE)
    lines = [line for line in board_csv([board]).splitlines() if "mine+draft" in line]
    assert len(lines) == len(METRICS)
    assert all(",draft," in line for line in lines)


def test_a_draft_is_not_compared_and_not_submitted(both, tmp_path):
    row, rough = map(read_entry, both)
    for pair in ((row, rough), (rough, row)):
        with pytest.raises(ResultError, match="is not compared"):
            compare_entries(*pair)
    assert any(draft.WHY in problem for problem in examine(both[1], tmp_path / "results")[0])


def test_without_the_units_nothing_is_scored(monkeypatch, clicks, quieter, tmp_path):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    with pytest.raises(FoleyError, match="has none of avx512_bf16"):
        evaluate(asked(clicks, quieter, tmp_path, precision=DRAFT))
    assert not (tmp_path / "cache").exists()


def command(clicks, tmp_path, *words):
    metrics = ["--metric", "level_difference"]
    places = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache"), "--work", str(tmp_path / "work")]
    return main(["eval", "--data", str(clicks), *metrics, *places, "--resamples", "20", "--jobs", "1", *words])


def test_the_command_makes_drafts_and_their_controls(units, clicks, quieter, tmp_path, capsys):
    sounds = ("--audio", str(quieter))
    rough = ("--precision", "bf16")
    assert command(clicks, tmp_path, "--model", "noise", *rough) == EXIT_OK
    assert command(clicks, tmp_path, "--model", "noise") == EXIT_OK
    capsys.readouterr()
    assert command(clicks, tmp_path, *sounds, *rough) == EXIT_OK
    said = capsys.readouterr().err
    assert "draft (bf16): audio on" in said
    assert "never ranked, never compared" in said
    assert "  noise  " in said  # the draft of the control, in a column
    (made,) = (tmp_path / "out").glob("*/audio+draft.*.json")
    for path in (tmp_path / "out").glob("*/noise+draft.*"):
        path.unlink()
    assert main(["show", str(made)]) == EXIT_OK
    assert "  noise  " not in capsys.readouterr().out  # never the control in float32
    assert command(clicks, tmp_path, *sounds, *rough, "--limit", "3") == EXIT_PARTIAL


@pytest.mark.parametrize("more", [("--csv", "x.csv"), ("--csv", "x.csv", "--limit", "2")])
def test_values_of_clips_cannot_be_marked(units, clicks, quieter, tmp_path, capsys, more):
    assert command(clicks, tmp_path, "--audio", str(quieter), "--precision", "bf16", *more) == EXIT_ERROR
    assert "makes a draft: leave out --csv, which cannot say so." in capsys.readouterr().err
