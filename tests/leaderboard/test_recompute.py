"""A result whose value is not what its clip table gives is refused, whatever its file name and hashes say."""

import gzip
import hashlib
import json

import pytest

from foleybench.artefacts import result as results
from foleybench.artefacts.entries import read_entry
from foleybench.errors import ResultError
from foleybench.leaderboard import compare
from foleybench.leaderboard.build import leaderboard_files
from foleybench.leaderboard.recompute import disagreements, not_recomputed, require_recomputed
from tests.made_results import METRICS, make_board, make_result


def forged(path, change):
    """Edit a result as somebody would who knows that its name must fit its content."""
    result = json.loads(path.read_text())
    change(result)
    made = path.with_name(f"{path.name.split('.')[0]}.{results.content_id(result)}.json")
    table = results.table_path(path)
    path.unlink()
    made.write_text(json.dumps(result))
    table.rename(results.table_path(made))
    return read_entry(made)


def test_results_that_nobody_touched_agree(tmp_path):
    make_board(tmp_path)
    for path in tmp_path.rglob("*.json"):
        assert disagreements(read_entry(path)) == []


@pytest.mark.parametrize("metric", METRICS)
def test_an_edited_value_is_refused_under_its_new_name_too(tmp_path, metric):
    path = make_result(tmp_path, "alpha")
    true = json.loads(path.read_text())["metrics"][metric]["value"]
    entry = forged(path, lambda result: result["metrics"][metric].update(value=true * 1.001))
    assert disagreements(entry) == [f"{metric} is {true * 1.001:.9g}, its clip table gives {true:.9g}."]
    with pytest.raises(ResultError, match="edited or damaged; run `foleybench eval` again"):
        leaderboard_files(tmp_path, None)


def test_a_value_where_there_is_none_and_none_where_there_is_one(tmp_path):
    entry = forged(
        make_result(tmp_path, "alpha"),
        lambda result: result["metrics"]["kld_mini"].update(value=None, low=None, high=None, reason="a secret"),
    )
    assert "kld_mini is undefined, its clip table gives" in disagreements(entry)[0]
    gone = {"value": None, "low": None, "high": None, "reason": "speed is not reported"}
    entry = forged(
        make_result(tmp_path, "beta", changes={"seconds_per_clip": gone}),
        lambda result: result["metrics"]["seconds_per_clip"].update(value=0.001, reason=None),
    )
    assert "seconds_per_clip is 0.001, its clip table gives undefined." in disagreements(entry)


def test_a_cut_clip_table_with_its_hash_fixed_is_refused(tmp_path):
    path = make_result(tmp_path, "alpha")
    lines = gzip.decompress(results.table_path(path).read_bytes()).splitlines(keepends=True)
    cut = gzip.compress(b"".join(lines[:-5]))
    results.table_path(path).write_bytes(cut)
    entry = forged(path, lambda result: result["clips"].update(sha256=hashlib.sha256(cut).hexdigest()))
    found = disagreements(entry)
    assert "event_f1 counts 40 clips asked for, the clip table has 35." in found
    assert "event_f1 counts 40 clips, the clip table has 35 with its statistics." in found


@pytest.mark.parametrize(("end", "value"), [("low", -0.1), ("high", 1.2)])
def test_an_interval_beyond_the_scale_is_refused(tmp_path, end, value):
    entry = forged(make_result(tmp_path, "alpha"), lambda result: result["metrics"]["event_f1"].update({end: value}))
    assert disagreements(entry) == [f"event_f1 has {end} end {value:g}, outside its range from 0.0 to 1.0."]


def test_another_version_and_an_unknown_metric_are_not_judged(tmp_path):
    path = make_result(tmp_path, "alpha", changes={"kld_mini": {"version": 0, "value": 5.0, "high": 6.0}})
    assert disagreements(read_entry(path)) == []
    entry = forged(path, lambda result: result["metrics"].update(mine=result["metrics"].pop("event_f1")))
    assert disagreements(entry) == []


def test_every_file_that_disagrees_is_named(tmp_path):
    entries = [
        forged(
            make_result(tmp_path, name),
            lambda result: result["metrics"]["kld_mini"].update(value=0.5, low=0.1, high=0.9),
        )
        for name in ("alpha", "beta")
    ]
    with pytest.raises(ResultError) as caught:
        require_recomputed(entries)
    assert all(str(entry.path) in str(caught.value) for entry in entries)


METRICS_WITH_MORE = ("event_f1", "fad_mini")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r["metrics"]["fad_mini"].update(corrected=0.0), "fad_mini corrected, is 0, its clip table gives"),
        (lambda r: r["metrics"]["fad_mini"].update(corrected=None), "fad_mini corrected, is undefined, its clip table"),
        (lambda r: r["metrics"]["event_f1"].update(corrected=0.5), "corrected, is 0.5, its clip table gives undefined"),
        (
            lambda r: r["metrics"]["event_f1"]["per_class"]["bow_saw"].update(value=1.0),
            "event_f1 of 'bow_saw' is 1, its clip",
        ),
        (
            lambda r: r["metrics"]["event_f1"]["per_class"]["bow_saw"].update(n=9),
            "event_f1 counts 9 clips of 'bow_saw', the",
        ),
        (lambda r: r["metrics"]["event_f1"]["per_class"].update(cat={"value": 0.5, "n": 0}), "of 'cat' is 0.5, its"),
        (lambda r: r["metrics"]["event_f1"].update(n_used=39), "event_f1 counts 39 clips, the clip table has 40"),
        (
            lambda r: r["metrics"]["event_f1"].update(not_applicable=1, n_used=39),
            "event_f1 does not apply to 1 clips, in",
        ),
        (lambda r: r["dataset"].update(n_scored=41), "the result counts 41 clips scored, the clip table has 40."),
        (lambda r: r["dataset"].update(n_clips=39), "the result is complete with 39 clips, the clip table has 40."),
        (lambda r: r["dataset"].update(n_clips=41), "the result is complete with 41 clips, the clip table has 40."),
        (
            lambda r: r.update(status="partial", dataset={**r["dataset"], "n_clips": 39}),
            "the result is partial with 39 clips",
        ),
    ],
)
def test_whatever_follows_from_the_table_is_compared_with_it(tmp_path, change, message):
    path = make_result(tmp_path, "alpha", metrics=METRICS_WITH_MORE)
    assert disagreements(read_entry(path)) == []
    assert any(message in problem for problem in disagreements(forged(path, change)))


def test_a_partial_result_may_have_fewer_clips(tmp_path):
    entry = forged(
        make_result(tmp_path, "alpha"), lambda r: r.update(status="partial", dataset={**r["dataset"], "n_clips": 99})
    )
    assert disagreements(entry) == []


@pytest.mark.parametrize("stats", [{"tp": 1.0}, {}, {"tp": [1.0], "n_generated": [1.0], "n_reference": 1.0}])
def test_statistics_of_another_metric_are_named(tmp_path, stats):
    path = make_result(tmp_path, "alpha")
    rows = [json.loads(line) for line in gzip.decompress(results.table_path(path).read_bytes()).splitlines()]
    rows[3]["stats"]["event_f1"] = stats
    table = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    results.table_path(path).write_bytes(table)
    entry = forged(path, lambda result: result["clips"].update(sha256=hashlib.sha256(table).hexdigest()))
    (problem,) = disagreements(entry)
    assert problem.startswith("event_f1 cannot be made from its statistics in the clip table (")


def test_what_cannot_be_recomputed_is_told(tmp_path, capsys):
    path = make_result(tmp_path, "alpha")
    assert not_recomputed([read_entry(path)]) == []
    entry = forged(path, lambda result: result["metrics"].update(mine=result["metrics"].pop("event_f1")))
    told = f"{entry.path}: mine was not recomputed: this metric is not installed."
    assert not_recomputed([entry]) == [told]
    leaderboard_files(tmp_path, None)
    assert capsys.readouterr().err == f"{told}\n"


def test_a_forged_result_is_not_compared(tmp_path):
    other = make_result(tmp_path, "beta")
    entry = forged(
        make_result(tmp_path, "alpha"), lambda r: r["metrics"]["kld_mini"].update(value=0.5, low=0.1, high=0.9)
    )
    with pytest.raises(ResultError, match=r"kld_mini is 0\.5, its clip table gives"):
        compare.table(entry.path, other)
