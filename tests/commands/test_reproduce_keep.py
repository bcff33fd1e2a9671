"""``reproduce --keep`` goes on from results, and from those of the same clips alone."""

import shutil
from pathlib import Path

import pytest

from foleybench.cli import main
from foleybench.commands.eval import CONTROLS
from foleybench.errors import EXIT_ERROR, EXIT_OK

ROOT = Path(__file__).parents[2]
ROW = "vab-tiny-clips351-seed0"
WORDS = ["reproduce", "table1", "--seeds", "1", "--clips", "351", "--dry-run"]


@pytest.fixture
def out(tmp_path):
    home = tmp_path / "out" / "results" / "synthfoley"
    home.mkdir(parents=True)
    for file in (ROOT / "leaderboards/reproduce/results/synthfoley").glob(f"{ROW}.*"):
        shutil.copy(file, home)
    return tmp_path / "out"


def test_a_row_with_a_result_is_kept(out, capsys):
    asked = [*WORDS, "--data", str(ROOT / "shards/synthfoley"), "--out", str(out)]
    assert main(asked) == EXIT_OK
    whole = capsys.readouterr().out.splitlines()
    assert main([*asked, "--keep"]) == EXIT_OK
    left = capsys.readouterr().out.splitlines()
    assert all("vab" in line for line in set(whole) - set(left))
    assert len(whole) - len(left) == 3  # its training, its score, and its copying share, whose audio is elsewhere
    assert not any(ROW in line for line in left)


@pytest.mark.parametrize(("clips", "made_again"), [("351", False), ("54", True)])
def test_controls_are_kept_where_they_are_of_the_clips_that_are_asked_for(out, capsys, clips, made_again):
    """Their names do not say on how many they were scored: a trial's would stand in a table of all clips."""
    for name in (*CONTROLS, "oracle"):
        for file in (ROOT / "leaderboards/reproduce/results/synthfoley").glob(f"{name}.*"):
            shutil.copy(file, out / "results" / "synthfoley")
    words = ["reproduce", "table1", "--seeds", "1", "--clips", clips, "--dry-run", "--keep"]
    assert main([*words, "--data", str(ROOT / "shards/synthfoley"), "--out", str(out)]) == EXIT_OK
    plan = capsys.readouterr().out
    assert (" eval --controls " in plan) == made_again
    assert (" eval --model oracle " in plan) == made_again


@pytest.mark.parametrize("keep", [["--keep"], []])
@pytest.mark.parametrize("table", ["table1", "heldout"])
def test_results_are_not_written_beside_those_of_another_test_set(out, tmp_path, capsys, keep, table):
    """Before anything runs: found at the end, hours would be lost and the folder would hold both."""
    asked = ["reproduce", table, *WORDS[2:], "--data", str(tmp_path), "--out", str(out), *keep]
    assert main(asked) == EXIT_OK  # the split is still to be prepared, so nothing is known of it
    shutil.copy(ROOT / "shards/synthfoley/heldout_fps.manifest.jsonl", tmp_path / "test.manifest.jsonl")
    capsys.readouterr()
    assert main(asked) == EXIT_ERROR
    told = capsys.readouterr()
    assert f"the results in {out / 'results'} are of another test set" in told.err
    assert "Give another --out, or" in told.err
    assert told.out == ""
    assert main([*asked[: asked.index("--out")], "--out", str(tmp_path / "other"), *keep]) == EXIT_OK
    assert main([*asked, "--tables-only"]) == EXIT_OK  # nothing would be written beside them


def test_a_kept_row_without_audio_is_told(out, tmp_path, capsys):
    """Not where nothing is to be run: then the page says what is missing."""
    where = ["--data", str(ROOT / "shards/synthfoley"), "--out", str(out), "--work", str(tmp_path / "work")]
    asked = [*WORDS, *where, "--keep"]
    assert main(asked) == EXIT_OK
    told = capsys.readouterr()
    assert f"no copying share of {ROW}: its audio is not in" in told.err
    assert "FOLEYBENCH_WEIGHTS=" in told.out
    assert main([*asked, "--tables-only"]) == EXIT_OK
    told = capsys.readouterr()
    assert told.err == ""
    assert "FOLEYBENCH_WEIGHTS=" not in told.out
