"""The result file: what is refused, what is kept, and that an edit does not go unnoticed."""

import gzip
import json

import numpy as np
import pytest

from foleybench.artefacts import result as results
from foleybench.errors import ResultError


def metric(**changes):
    return {
        "version": 1,
        "source_sha256": "0" * 64,
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "level": 0.95,
        "corrected": None,
        "n_used": 2,
        "n_asked": 2,
        "not_applicable": 0,
        "unit": "1",
        "better": "higher",
        "reason": None,
        "per_class": {},
        **changes,
    }


def result(**changes):
    return {
        "schema": results.SCHEMA,
        "status": "complete",
        "model": {"name": "flow", "kind": "model"},
        "dataset": {"name": "clicks", "split": "test", "manifest_sha256": "a" * 64, "n_clips": 2},
        "protocol": {"name": "trial", "version": 1},
        "metrics": {"event_f1": metric()},
        "problems": [],
        "run": {"command": "foleybench eval", "seed": 0},
        **changes,
    }


ROWS = [
    {"clip_id": "a_000000", "source_id": "a", "label": "hammer_bell", "stats": {"event_f1": {"tp": [1.0, 2.0]}}},
    {"clip_id": "b_000000", "source_id": "b", "label": "hammer_bell", "stats": {"event_f1": None}},
]


def test_round_trip(tmp_path):
    path = results.write_result(tmp_path, result(), ROWS)
    assert path.parent == tmp_path / "clicks"
    found = results.read_result(path)
    assert found["metrics"]["event_f1"]["value"] == 0.5
    assert path.name == f"flow.{results.content_id(found)}.json"
    assert results.read_clips(path) == ROWS


def test_stats_leave_out_clips_that_do_not_apply(tmp_path):
    found = results.stats_of(ROWS, "event_f1")
    assert list(found) == ["a_000000"]
    np.testing.assert_array_equal(found["a_000000"]["tp"], [1.0, 2.0])
    assert results.stats_of(ROWS, "other") == {}


def test_same_content_same_bytes(tmp_path):
    first = results.write_result(tmp_path / "one", result(), ROWS)
    second = results.write_result(tmp_path / "two", result(), ROWS)
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    assert results.table_path(first).read_bytes() == results.table_path(second).read_bytes()
    assert first.read_text().endswith("\n")


def test_there_is_no_clock_in_the_clip_table():
    """Bytes 4 to 8 of a gzip file are its time."""
    assert results.clips_bytes(ROWS)[4:8] == bytes(4)
    assert gzip.decompress(results.clips_bytes(ROWS)).count(b"\n") == len(ROWS)


def test_a_result_on_a_subset_and_one_on_all_clips_stand_side_by_side(tmp_path):
    dataset = result()["dataset"]
    whole = results.write_result(tmp_path, result(), ROWS)
    subsets = [{"name": name, "sha256": name * 64, "n_ids": 2, "n_here": 2} for name in "bc"]
    parts = [results.write_result(tmp_path, result(dataset=dataset | {"subset": one}), ROWS) for one in subsets]
    assert sorted(tmp_path.rglob("*.json")) == sorted([whole, *parts])
    assert len({whole, *parts}) == 3


def test_a_new_result_takes_the_place_of_the_old_one(tmp_path):
    old = results.write_result(tmp_path, result(), ROWS)
    other_protocol = results.write_result(tmp_path, result(protocol={"name": "paper", "version": 1}), ROWS)
    other_model = results.write_result(tmp_path, result(model={"name": "noise", "kind": "control"}), ROWS)
    new = results.write_result(tmp_path, result(run={"command": "foleybench eval", "seed": 1}), ROWS)
    assert sorted(tmp_path.rglob("*.json")) == sorted([other_protocol, other_model, new])
    assert not results.table_path(old).exists()
    assert results.write_result(tmp_path, result(run={"command": "foleybench eval", "seed": 1}), ROWS) == new
    assert new.exists()


@pytest.mark.parametrize("edit", ["value", "space"])
def test_an_edit_is_noticed(tmp_path, edit):
    path = results.write_result(tmp_path, result(), ROWS)
    text = path.read_text()
    path.write_text(text.replace('"value": 0.5', '"value": 0.9') if edit == "value" else text + "\n")
    if edit == "space":  # the content is what counts, not its layout
        assert results.read_result(path)["status"] == "complete"
    else:
        with pytest.raises(ResultError, match="was edited after it was written"):
            results.read_result(path)


def test_a_changed_or_missing_clip_table_is_noticed(tmp_path):
    path = results.write_result(tmp_path, result(), ROWS)
    table = results.table_path(path)
    table.write_bytes(gzip.compress(json.dumps(ROWS[0]).encode()))
    with pytest.raises(ResultError, match="is not the table that"):
        results.read_clips(path)
    table.unlink()
    with pytest.raises(ResultError, match=r"clips\.jsonl\.gz does not exist\. Run `foleybench eval` again"):
        results.read_clips(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 99}, "schema is 99; one of 1 is wanted"),
        ({"model": {"name": "../up", "kind": "model"}}, "model.name is '../up', which cannot be part of a file name"),
        ({"dataset": {**result()["dataset"], "name": "a b"}}, "dataset.name is 'a b'"),
        ({"model": {"name": "a\n", "kind": "model"}}, "model.name is 'a"),
        ({"model": {"name": 5, "kind": "model"}}, "model.name is 5"),
        ({"dataset": {"name": "clicks"}}, "dataset lacks split, manifest_sha256, n_clips"),
        ({"status": "done"}, "status is 'done'; one of complete"),
        ({"metrics": {"event_f1": metric(value=float("nan"))}}, "metrics.event_f1.value is nan; a finite number"),
        ({"metrics": {"event_f1": metric(low=float("inf"))}}, "low is inf"),
        ({"metrics": {"event_f1": metric(high="much")}}, "high is 'much'"),
        ({"metrics": {"event_f1": metric(value=None)}}, "has no value and no reason"),
        ({"metrics": {"event_f1": metric(low=0.7)}}, r"interval \[0.7, 0.6\], whose low end is above its high end"),
        ({"metrics": {"event_f1": metric(low=None)}}, r"interval \[None, 0.6\] of the value 0.5; both ends"),
        ({"metrics": {"event_f1": metric(value=None, reason="why")}}, r"interval \[0.4, 0.6\] of the value None"),
        ({"metrics": {"event_f1": metric(value=1e300)}}, "value is 1e.300; a finite number from -1e.100 to 1e.100"),
        (
            {"metrics": {"event_f1": metric(n_used=2, not_applicable=1)}},
            "counts 2 used and 1 not applicable clips of 2",
        ),
        ({"model": {"name": "flow", "kind": "Model"}}, "model.kind is 'Model'; one of model, baseline"),
        ({"problems": [{"clip_id": 1, "kind": "x", "detail": "y"}]}, "problems.0.clip_id is 1; text is wanted"),
        ({"run": {"generation": {"speed": {"batch_1": 3}}}}, "run.generation.speed.batch_1 is 3; an object"),
        ({"metrics": {"event_f1": {"value": 1.0}}}, "metrics.event_f1 lacks version"),
    ],
)
def test_what_is_refused(tmp_path, changes, message):
    with pytest.raises(ResultError, match=message):
        results.write_result(tmp_path, result(**changes), ROWS)
    assert not list(tmp_path.rglob("*.json"))


def test_a_missing_section_is_named(tmp_path):
    broken = result()
    del broken["problems"]
    with pytest.raises(ResultError, match="lacks problems"):
        results.write_result(tmp_path, broken, ROWS)


def test_nan_in_the_clip_table_is_refused(tmp_path):
    rows = [{**ROWS[0], "stats": {"event_f1": {"tp": float("nan")}}}]
    with pytest.raises(ValueError, match="not JSON compliant"):
        results.write_result(tmp_path, result(), rows)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00"])
def test_files_that_are_no_results(tmp_path, text):
    path = tmp_path / "flow.00000000.json"
    path.write_text(text)
    with pytest.raises(ResultError, match=r"flow\.00000000\.json"):
        results.read_result(path)
