"""``reproduce --keep`` goes on from results, and from those of the same clips alone."""

import shutil
from pathlib import Path

import pytest

from foleybench.cli import main
from foleybench.errors import EXIT_ERROR, EXIT_OK

ROOT = Path(__file__).parents[2]
ROW = "maskvat-tiny-clips351-seed0"
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
    assert all("maskvat" in line for line in set(whole) - set(left))
    assert len(whole) - len(left) == 3  # its training, its score, and its copying share, whose audio is elsewhere
    assert not any(ROW in line for line in left)


def test_results_of_another_test_set_are_not_gone_on_from(out, tmp_path, capsys):
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(ROOT / "shards/synthfoley/heldout_fps.manifest.jsonl", data / "test.manifest.jsonl")
    assert main([*WORDS, "--data", str(data), "--out", str(out), "--keep"]) == EXIT_ERROR
    assert "--keep: the results in" in capsys.readouterr().err


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
