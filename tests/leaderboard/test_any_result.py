"""Results with one thing changed, under the name that fits them: refused with a sentence, or shown as they are."""

import gzip
import hashlib
import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleybench.artefacts import result as results
from foleybench.errors import FoleyError, ResultError
from foleybench.leaderboard import build, compare
from tests.json_values import changed
from tests.made_results import make_result


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two good results, as JSON values with their rows."""
    folder = tmp_path_factory.mktemp("made")
    found = []
    for name in ("alpha", "beta"):
        path = make_result(folder, name, n_clips=8, metrics=("event_f1", "class_accuracy"))
        rows = [json.loads(line) for line in gzip.decompress(results.table_path(path).read_bytes()).splitlines()]
        found.append((json.loads(path.read_text()), rows))
    return found


def write_as_it_is(folder, result, rows):
    """Write a result without any check, its hashes and its name right."""
    table = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode(), mtime=0)
    if isinstance(result.get("clips"), dict) and "sha256" in result["clips"]:
        result = {**result, "clips": {**result["clips"], "sha256": hashlib.sha256(table).hexdigest()}}
    path = folder / f"x.{results.content_id(result)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result))
    results.table_path(path).write_bytes(table)
    return path


@pytest.mark.slow
@given(data=st.data())
def test_any_change_of_a_result_is_refused_or_shown(made, data, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "any"
    shutil.rmtree(folder, ignore_errors=True)
    (result, rows), other = made
    if data.draw(st.booleans()):
        result = data.draw(changed(result))
    else:
        rows = data.draw(changed(rows))
    path = write_as_it_is(folder / "synthfoley", result, rows)
    path_of_other = write_as_it_is(folder / "synthfoley", *other)
    try:
        files = build.leaderboard_files(folder, None)
        table = compare.table(path, path_of_other)
    except FoleyError:
        return
    assert "index.html" in files
    assert table


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda row: row.update(stats={"event_f1": {"tp": "x"}}),
            r"line 1: stats\.event_f1\.tp is 'x'; finite numbers",
        ),
        (lambda row: row.update(stats={"event_f1": {"tp": [1, [2]]}}), "line 1: stats.event_f1.tp is"),
        (lambda row: row.update(stats={"event_f1": {"tp": [[1], [2, 3]]}}), "lists of one length are wanted"),
        (lambda row: row.update(stats={"event_f1": {"tp": True}}), "tp is True; finite numbers are wanted"),
        (
            lambda row: row.update(stats={"event_f1": {"tp": {"array": "f4x2", "start": -1, "shape": [2]}}}),
            "start is -1",
        ),
        (lambda row: row.update(stats={"event_f1": {"tp": {"array": "f4x2", "start": 0, "shape": []}}}), "shape is"),
        (lambda row: row.pop("clip_id"), "line 1 lacks clip_id"),
        (lambda row: row.update(label=None), "line 1: label is None; text is wanted"),
        (lambda row: row.update(clip_id="v0000_000001"), "has clip 'v0000_000001' 2 times; one line a clip is wanted"),
    ],
)
def test_lines_of_a_clip_table_are_refused_by_name(made, change, message, tmp_path):
    result, rows = json.loads(json.dumps(made[0]))
    change(rows[0])
    with pytest.raises(ResultError, match=message):
        results.read_clips(write_as_it_is(tmp_path, result, rows))
