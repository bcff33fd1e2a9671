"""Why a value counts fewer clips than were asked for: the numbers add up, and caveats of scored clips are no reason."""

from __future__ import annotations

from typing import Any

import pytest

from foleybench.artefacts.fewer_clips import why_fewer, why_not_scored


def result(n_scored: int, problems: list[tuple[str, str]], n_used: int, not_applicable: int = 0) -> dict[str, Any]:
    return {
        "dataset": {"n_clips": 6, "n_scored": n_scored},
        "problems": [{"clip_id": clip_id, "kind": kind, "detail": ""} for clip_id, kind in problems],
        "metrics": {"m": {"n_asked": 6, "n_used": n_used, "not_applicable": not_applicable}},
    }


MISSING = [("a", "missing"), ("b", "missing"), ("c", "undecodable")]


@pytest.mark.parametrize(
    ("made", "not_scored", "fewer"),
    [
        (result(6, [], 6), "", ""),
        (result(6, [("a", "silent"), ("b", "too_short"), ("c", "fewer_takes")], 6), "", ""),
        (result(3, MISSING, 3), "2 missing, 1 undecodable", "2 missing, 1 undecodable"),
        (
            result(3, [*MISSING, ("d", "silent"), ("a", "bad_data")], 2, 1),
            "2 missing, 1 undecodable",
            "2 missing, 1 undecodable, 1 that it does not apply to",
        ),
        (result(6, [], 4, 2), "", "2 that it does not apply to"),
        (result(6, [], 4, 1), "", "1 that it does not apply to, 1 without a value"),
        (result(5, [("a", "out_of_memory")], 5), "1 out of memory", "1 out of memory"),
        (result(4, [("a", "missing")], 4), "1 missing, 1 without a value", "1 missing, 1 without a value"),
    ],
)
def test_reasons(made: dict[str, Any], not_scored: str, fewer: str):
    assert why_not_scored(made) == not_scored
    assert why_fewer(made, "m") == fewer


def test_clips_that_a_limit_left_out_are_no_failure():
    made = result(2, [("a", "missing")], 1, 1)
    made["metrics"]["m"]["n_asked"] = 3
    assert why_not_scored(made) == "1 missing, 3 not asked for"
    assert why_fewer(made, "m") == "1 missing, 1 that it does not apply to"


def test_an_older_result_without_the_number_scored_says_what_it_knows():
    old = result(6, MISSING, 3)
    del old["dataset"]["n_scored"]
    assert why_not_scored(old) == ""
    assert why_fewer(old, "m") == "3 without a value"


@pytest.mark.parametrize(
    ("name", "n", "without"),
    [
        ("onset_agreement", 2, "an onset in their real audio that the detector finds"),
        ("onset_agreement", 1, "an onset in its real audio that the detector finds"),
        ("kad_aisfx", 2, "an embedding"),
        ("seconds_per_clip", 2, "a reported time"),
        ("event_f1", 2, "an audible, visible onset event"),
    ],
)
def test_what_the_clips_lack_that_a_metric_does_not_apply_to(name: str, n: int, without: str):
    made = result(6, [], 6 - n, n)
    made["metrics"] = {name: made["metrics"]["m"]}
    assert why_fewer(made, name) == f"{n} without {without}"
