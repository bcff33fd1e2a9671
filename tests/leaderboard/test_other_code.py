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
    assert "/other." in named
    assert named.endswith("made by other code than today's: event_f1")
    assert counted.startswith("1 of 4 results are older")


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
