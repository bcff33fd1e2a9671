"""How much is copied: a part of the page where it was measured."""

import dataclasses

import pytest

from foleybench.artefacts.entries import read_all
from foleybench.errors import ResultError
from foleybench.reproduce.copying import copying_text, missing_shares
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.plan import Setup, row_name
from tests.made_results import make_result

GRID = GRIDS["table1"]
ROWS = {row.label: row for row in GRID.rows}


@pytest.fixture
def setup(tmp_path):
    return Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=2)


def results(folder):
    return {entry.row_name: entry for entry in read_all(folder)}


def measure(folder, name, **facts):
    make_result(folder, name, metrics=("copying_share",), n_clips=40, **facts)


def test_a_line_for_every_row_that_was_measured(setup, tmp_path):
    """The made clips have one window each, copied with the probability of the row's skill: all, or none."""
    folder, nearest, grains = tmp_path / "copying", ROWS["Nearest training clip"], ROWS["Pasted grains"]
    for seed in (0, 1):
        measure(folder, row_name(setup, nearest, seed), skill=1.0)
    measure(folder, row_name(setup, grains, 1), skill=0.0)
    measure(folder, "ground_truth", skill=0.0, kind="control")
    text = copying_text(setup, GRID, {})
    lines = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert [line.split(" | ")[0] for line in lines] == [
        "| Pasted grains",
        "| Nearest training clip",
        "| *Ground truth* (control)",
    ]
    assert lines[0].startswith("| Pasted grains | 0.0")
    assert lines[1].startswith("| Nearest training clip | 100.0")
    assert [line.split(" | ")[2:] for line in lines] == [["1", "40 |"], ["2", "40 |"], ["1", "40 |"]]
    assert "`copying/`" in text


def test_nothing_measured_is_no_part_of_the_page(setup, tmp_path):
    assert copying_text(setup, GRID, {}) == ""
    measure(tmp_path / "copying", "ground_truth", skill=0.0, kind="control")
    assert copying_text(setup, GRID, {}) == ""


def test_shares_of_different_clips_are_no_table(setup, tmp_path):
    measure(tmp_path / "copying", row_name(setup, ROWS["Pasted grains"], 0), skill=0.0)
    measure(tmp_path / "copying", row_name(setup, ROWS["Pasted grains"], 1), skill=0.0, manifest="b" * 64)
    with pytest.raises(ResultError, match="different clips"):
        copying_text(setup, GRID, {})


@pytest.mark.parametrize("changed", [{"section": {"checkpoint_sha256": "d" * 64}}, {"manifest": "b" * 64}])
def test_a_share_of_earlier_weights_or_of_other_clips_is_not_shown_and_is_missing(setup, tmp_path, changed):
    grains, nearest = (row_name(setup, ROWS[label], 0) for label in ("Pasted grains", "Nearest training clip"))
    for name in (grains, nearest):
        make_result(tmp_path / "results", name)
        measure(tmp_path / "copying", name, skill=0.0)
    rows = results(tmp_path / "results")
    assert copying_text(setup, GRID, rows).count("| 1 | 40 |") == 2
    assert missing_shares(setup, GRID, rows) == []
    make_result(tmp_path / "again", grains, **changed)
    rows |= results(tmp_path / "again")
    text = copying_text(setup, GRID, rows)
    assert "| Pasted grains" not in text
    assert text.count("| 1 | 40 |") == 1
    assert missing_shares(setup, GRID, rows) == [f"copying share of {grains}"]


def test_only_measured_rows_of_a_table_that_shows_copying_lack_a_share(setup, tmp_path):
    for name in ("ground_truth", row_name(setup, ROWS["Pasted grains"], 1)):
        make_result(tmp_path / "results", name)
    rows = results(tmp_path / "results")
    grains = row_name(setup, ROWS["Pasted grains"], 1)
    assert missing_shares(setup, GRID, rows) == [f"copying share of {grains}", "copying share of ground_truth"]
    assert missing_shares(setup, dataclasses.replace(GRID, copying=False), rows) == []
