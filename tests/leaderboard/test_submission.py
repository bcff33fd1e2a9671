"""A submitted row: what it lacks is named, its place is the table's."""

import csv
import json

import pytest

from foleybench.artefacts import result as results
from foleybench.cli import main
from foleybench.errors import FoleyError
from foleybench.leaderboard.submission import examine
from tests.made_results import make_board, make_result


@pytest.fixture
def home(tmp_path):
    make_board(tmp_path / "results")
    return tmp_path / "results"


def check(home, path):
    return main(["leaderboard", "--results", str(home), "--out", str(home), "--check", "--row", str(path)])


def test_a_good_row_has_its_place_and_lacks_nothing(home, capsys):
    path = make_result(home, "mine", skill=0.99)
    assert check(home, path) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0].startswith("mine on synthfoley / test under trial, ")
    (event,) = [line for line in lines if "Event F1" in line]
    assert "; rank 1" in event
    (seconds,) = [line for line in lines if "Seconds per clip" in line]
    assert "; not ranked (times depend on the machine" in seconds
    assert not (home / "index.html").exists()


def test_its_place_is_that_of_the_table(home):
    path = make_result(home, "mine", skill=0.55)
    _, places = examine(path, home)
    main(["leaderboard", "--results", str(home), "--out", str(home.parent)])
    with (home.parent / "synthfoley.csv").open() as handle:
        (row,) = [r for r in csv.DictReader(handle) if (r["system"], r["metric"]) == ("mine", "event_f1")]
    low, high = row["rank_low"], row["rank_high"]
    (line,) = [line for line in places if "Event F1" in line]
    assert f"; rank {low if low == high else f'{low}-{high}'} of 5" in line


def test_an_edited_value_is_named_and_has_no_place(home, capsys):
    path = make_result(home, "mine")
    result = json.loads(path.read_text())
    result["metrics"]["event_f1"]["value"] = 0.999
    edited = path.with_name(f"mine.{results.content_id(result)}.json")
    edited.write_text(json.dumps(result))
    results.table_path(path).rename(results.table_path(edited))
    path.unlink()
    assert check(home, edited) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert "event_f1 is 0.999, its clip table gives" in err


def test_a_missing_clip_table_is_named(home, capsys):
    path = make_result(home, "mine")
    results.table_path(path).unlink()
    assert check(home, path) == 4
    assert results.table_path(path).name in capsys.readouterr().err


def test_a_partial_row_is_told(home, capsys):
    path = make_result(home, "mine", status="partial")
    assert check(home, path) == 4
    assert "lacking: synthfoley/mine" in (err := capsys.readouterr().err)
    assert "partial" in err


def test_another_test_set_is_told_with_both_hashes(home):
    path = make_result(home, "mine", manifest="f" * 64)
    problems, _ = examine(path, home)
    assert any("the row's test set is ffffffffffff, that of the other rows" in problem for problem in problems)


def test_a_metric_left_out_is_told(home):
    path = make_result(home, "mine", metrics=("event_f1",))
    problems, places = examine(path, home)
    assert any("kld_mini: not run" in problem for problem in problems)
    assert any("no value; not ranked" in place for place in places)


def test_the_first_row_of_a_table_is_no_problem(tmp_path):
    path = make_result(tmp_path, "mine")
    problems, places = examine(path, tmp_path)
    assert not [problem for problem in problems if "test set" in problem]
    assert "1 ranked systems" in places[0]


def test_a_row_elsewhere_and_a_row_without_check_are_refused(home, tmp_path, capsys):
    path = make_result(tmp_path / "other", "mine")
    with pytest.raises(FoleyError, match="is not among the results; put it"):
        examine(path, home)
    assert main(["leaderboard", "--results", str(home), "--row", str(path)]) == 1
    assert "--row goes with --check" in capsys.readouterr().err
