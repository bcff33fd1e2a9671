"""Rows made by other code than today's are named and stay what they are."""

from __future__ import annotations

import pytest

from foleybench.artefacts.entries import read_all
from foleybench.cli import main
from foleybench.leaderboard.other_code import made_by_other_code
from foleybench.metrics import event_f1
from foleybench.scoring.choice import metric_code_sha256
from tests.made_results import make_result

OTHER = "f" * 64


def made_by(code: str, **more) -> dict:
    return {"event_f1": {"code_sha256": code, **more}}


@pytest.fixture
def results(tmp_path):
    today = metric_code_sha256("event_f1", "synth")
    options = {"metrics": ("event_f1", "class_accuracy"), "protocol": ("synth", 2)}
    make_result(tmp_path, "today", changes=made_by(today), **options)
    make_result(tmp_path, "other", changes=made_by(OTHER), **options)
    make_result(tmp_path, "stale", changes=made_by(OTHER, version=event_f1.METRIC.version - 1), **options)
    make_result(tmp_path, "silent", **options)
    return tmp_path


def test_the_one_row_is_named_with_its_metric_and_the_silent_counted(results):
    named, counted = made_by_other_code(read_all(results))
    (path,) = results.glob("*/other.*.json")
    row = path.relative_to(results).as_posix().removesuffix(".json")
    assert named == f"made by other code than today's: event_f1 of 1 row ({row})"
    assert counted.startswith("1 of 4 results are older")


def test_a_line_is_of_metrics_with_the_same_rows_and_counts_those_beyond_three(tmp_path):
    both = {**made_by(OTHER), "class_accuracy": {"code_sha256": OTHER}}
    options = {"metrics": ("event_f1", "class_accuracy"), "protocol": ("synth", 2)}
    for name in "abcde":
        make_result(tmp_path, name, changes=both, **options)
    (line,) = made_by_other_code(read_all(tmp_path))
    names = sorted(path.relative_to(tmp_path).as_posix().removesuffix(".json") for path in tmp_path.glob("*/*.json"))
    first = ", ".join(names[:3])
    assert line == f"made by other code than today's: class_accuracy, event_f1 of 5 rows ({first} and 2 more)"
    make_result(tmp_path, "f", changes=made_by(OTHER), **options)
    one, other = made_by_other_code(read_all(tmp_path))
    assert "class_accuracy of 5 rows (" in one
    assert "event_f1 of 6 rows (" in other
    assert other.endswith(" and 3 more)")


def test_exactly_three_rows_are_all_named(tmp_path):
    for name in "abc":
        make_result(tmp_path, name, changes=made_by(OTHER), metrics=("event_f1",), protocol=("synth", 2))
    (line,) = made_by_other_code(read_all(tmp_path))
    assert "3 rows (" in line
    assert "more" not in line


def test_the_protocol_is_part_of_the_code(tmp_path):
    """Without a protocol the same metric has another hash: the one under ``synth`` is not today's there."""
    under_synth, alone = metric_code_sha256("event_f1", "synth"), metric_code_sha256("event_f1", None)
    assert under_synth != alone
    options = {"metrics": ("event_f1",), "protocol": ("metrics:event_f1", 1)}
    make_result(tmp_path, "under", changes=made_by(under_synth), **options)
    make_result(tmp_path, "alone", changes=made_by(alone), **options)
    (line,) = made_by_other_code(read_all(tmp_path))
    assert "/under." in line


def test_what_is_not_installed_here_is_passed_over(tmp_path):
    make_result(tmp_path, "elsewhere", metrics=("event_f1",), protocol=("mine.py:X", 1), changes=made_by(OTHER))
    assert made_by_other_code(read_all(tmp_path)) == []


def test_check_tells_and_ends_with_0(results, tmp_path, capsys):
    words = ["leaderboard", "--results", str(results), "--out", str(tmp_path / "out"), "--published", "none"]
    assert main(words) == 0
    capsys.readouterr()
    assert main([*words, "--check"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all(line.startswith("note: ") for line in said)
