"""How well metrics agree with people: made results and made votes whose agreement is known."""

import itertools

import numpy as np
import pytest

from foleybench import registry
from foleybench.artefacts.entries import read_all
from foleybench.people.metric_agreement import agreement_table
from foleybench.people.screening import Screened
from foleybench.people.summary import Study, summarise
from foleybench.people.votes import Vote
from tests.made_results import make_result

SKILLS = {"a": 0.9, "b": 0.75, "c": 0.6, "d": 0.4, "e": 0.2}
CLIPS = [f"v{i:04d}_000000" for i in range(20)]
STUDY = Study(question="", dataset={"name": "synthfoley", "split": "test", "manifest_sha256": "a" * 64}, sources={})


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for name, skill in SKILLS.items():
        make_result(folder, name, skill=skill, clip_ids=CLIPS, metrics=("event_f1", "kld_mini", "fad_mini"))
    make_result(folder, "a", skill=0.1, clip_ids=CLIPS, metrics=("event_f1",), manifest="b" * 64)
    make_result(folder, "real", skill=1.0, clip_ids=CLIPS, kind="control", metrics=("event_f1",))
    return folder


def votes_by(liked, raters=6):
    rng = np.random.default_rng(1)
    votes = []
    for rater, clip_id in itertools.product(range(raters), CLIPS):
        for first, second in itertools.combinations(sorted(liked), 2):
            sure = liked[first] - liked[second] + rng.normal(0, 0.2)
            votes.append(Vote(f"r{rater}", clip_id, first, second, float(sure > 0)))
    return votes


def table_of(results, liked, **changes):
    votes = votes_by(liked)
    people = summarise(Screened(votes, [], ""), STUDY)
    found = agreement_table(people, votes, changes.get("study", STUDY), read_all(results), {"real"})
    return {record["metric"]: record for record in found}, votes


def test_direction_is_taken_into_account(results):
    table, _ = table_of(results, SKILLS)
    assert table["kld_mini"]["better"] == table["fad_mini"]["better"] == "lower"
    for name in ("event_f1", "kld_mini", "fad_mini"):
        assert table[name]["spearman"]["value"] == pytest.approx(1.0)
        assert table[name]["kendall"] == pytest.approx(1.0)
        assert table[name]["n_systems"] == 5
        assert table[name]["spearman"]["low"] < 0.6  # five systems prove little
        assert table[name]["reason"] == ""
    turned, _ = table_of(results, {name: -skill for name, skill in SKILLS.items()})
    assert turned["kld_mini"]["spearman"]["value"] == pytest.approx(-1.0)
    assert turned["event_f1"]["agrees"]["value"] < 0.3


def test_clip_by_clip_is_counted_as_by_hand(results):
    table, votes = table_of(results, SKILLS)
    metric = registry.load("metrics", "kld_mini")
    entries = {e.row_name: e for e in read_all(results) if e.board_key[3] == "a" * 64}
    values = {n: {c: metric.clip_value(s) for c, s in entries[n].stats("kld_mini").items()} for n in SKILLS}
    right = [(values[v.first][v.clip_id] < values[v.second][v.clip_id]) == (v.hits == 1.0) for v in votes]
    record = table["kld_mini"]
    assert record["n_votes"] == len(votes)
    assert record["agrees"]["value"] == pytest.approx(np.mean(right))
    assert record["agrees"]["low"] < np.mean(right) < record["agrees"]["high"]
    assert table["fad_mini"]["agrees"]["value"] is None  # a distance of whole sets has no value of a clip
    assert table["fad_mini"]["n_votes"] == 0


def test_ties_of_people_do_not_count_and_ties_of_the_metric_are_half(results):
    votes = [Vote("r0", CLIPS[0], "a", "b", 0.5), *votes_by(SKILLS)]
    people = summarise(Screened(votes, [], ""), STUDY)
    (record,) = [
        r for r in agreement_table(people, votes, STUDY, read_all(results), {"real"}) if r["metric"] == "event_f1"
    ]
    assert record["n_votes"] == len(votes) - 1
    metric = registry.load("metrics", "event_f1")
    entries = {e.row_name: e for e in read_all(results) if e.board_key[3] == "a" * 64}
    values = {n: {c: metric.clip_value(s) for c, s in entries[n].stats("event_f1").items()} for n in SKILLS}
    gaps = np.array([values[v.first][v.clip_id] - values[v.second][v.clip_id] for v in votes[1:]])
    liked = np.array([v.hits for v in votes[1:]])
    assert (gaps == 0).any()
    expected = np.where(gaps == 0, 0.5, (gaps > 0) == (liked == 1.0)).mean()
    assert record["agrees"]["value"] == pytest.approx(expected)


def test_too_few_systems_cannot_be_said(results):
    table, _ = table_of(results, {name: SKILLS[name] for name in "abc"})
    record = table["event_f1"]
    assert record["spearman"] == {"value": None, "low": None, "high": None}
    assert record["kendall"] is None
    assert record["reason"] == "cannot be said: 3 systems with votes and a value, 5 are needed"
    assert record["agrees"]["value"] > 0.5  # clip by clip it can


def test_the_reference_and_other_test_sets_are_not_looked_at(results):
    table, _ = table_of(results, {**SKILLS, "real": 1.0})
    assert table["event_f1"]["n_systems"] == 5  # neither `real` nor the `a` of the other manifest
    elsewhere = Study(question="", dataset={**STUDY.dataset, "manifest_sha256": "c" * 64}, sources={})
    assert table_of(results, SKILLS, study=elsewhere)[0] == {}


def test_only_the_newest_version_of_a_metric_counts(tmp_path):
    for name, skill in SKILLS.items():
        changes = {"kld_mini": {"version": 0}} if name == "e" else None
        make_result(tmp_path, name, skill=skill, clip_ids=CLIPS, metrics=("kld_mini",), changes=changes)
    table, _ = table_of(tmp_path, SKILLS)
    assert table["kld_mini"]["n_systems"] == 4
    assert table["kld_mini"]["version"] > 0
