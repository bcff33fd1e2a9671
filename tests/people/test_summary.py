"""What votes say, by hand and on made votes whose truth is known."""

import itertools

import numpy as np
import pytest
from scipy import special

from foleybench.artefacts.people import people_of, read_people, write_people
from foleybench.errors import ResultError
from foleybench.people.screening import Excluded, Screened
from foleybench.people.summary import Study, summarise
from foleybench.people.table_text import people_text
from foleybench.people.votes import Vote

NOWHERE = Study(question="Which?", dataset=None, sources={})
HERE = Study(question="Which?", dataset={"name": "d", "split": "test", "manifest_sha256": "a" * 64}, sources={})


def votes_of(truth, raters=10, clips=12, seed=0):
    rng = np.random.default_rng(seed)
    names = list(truth)
    return [
        Vote(f"r{rater}", f"c{clip}", first, second, float(rng.random() < special.expit(truth[first] - truth[second])))
        for rater in range(raters)
        for clip in range(clips)
        for first, second in itertools.combinations(names, 2)
    ]


def summary(votes, study=NOWHERE, excluded=()):
    return summarise(Screened(votes, list(excluded), "the rule"), study)


def test_counts_and_rates_by_hand():
    votes = [
        Vote("a", "c1", "x", "y", 1.0),
        Vote("a", "c2", "y", "x", 0.5),
        Vote("b", "c1", "y", "x", 0.0),
        Vote("b", "c2", "x", "y", 0.0),
    ]
    found = summary(votes)
    assert found["n"] == {"raters": 2, "clips": 2, "videos": 2, "votes": 4, "ties": 1}
    (pair,) = found["pairs"]
    assert (pair["first"], pair["second"], pair["n"], pair["ties"]) == ("x", "y", 4, 1)
    assert pair["rate"]["value"] == pytest.approx((1 + 0.5 + 1 + 0) / 4)
    assert found["left"]["value"] == pytest.approx((1 + 0.5 + 0 + 0) / 4)
    assert found["raters"] == {"same": 0.5, "alpha": pytest.approx(1 - 0.5 / (10 / 12)), "n_units": 2}
    assert found["systems"]["x"]["preferred"]["value"] == pytest.approx(3 / 5)  # with half a vote for either side
    assert found["systems"]["x"]["score"]["value"] == pytest.approx(np.log(3 / 2) / 2)


def test_the_order_of_votes_and_sides_changes_nothing():
    votes = votes_of({"x": 0.5, "y": 0.0, "z": -0.5}, raters=4, clips=5)
    turned = [Vote(v.rater, v.clip_id, v.second, v.first, 1 - v.hits) for v in votes[::-1]]
    one, other = summary(votes), summary(turned)
    for name in "xyz":
        for part in ("preferred", "score"):
            assert one["systems"][name][part] == pytest.approx(other["systems"][name][part])
    assert [p["p_holm"] for p in one["pairs"]] == pytest.approx([p["p_holm"] for p in other["pairs"]])


def test_systems_that_differ_are_told_apart_and_equal_ones_are_not():
    found = summary(votes_of({"x": 1.0, "y": 0.0, "also": 0.0, "z": -1.0}))
    p = {frozenset((pair["first"], pair["second"])): pair["p_holm"] for pair in found["pairs"]}
    assert p[frozenset("xz")] < 0.001
    assert p[frozenset(("y", "also"))] > 0.05
    scores = {name: system["score"]["value"] for name, system in found["systems"].items()}
    assert max(scores, key=scores.get) == "x"
    assert sum(scores.values()) == pytest.approx(0.0)


def test_clips_of_one_video_are_one_cluster():
    votes = votes_of({"x": 0.3, "y": -0.3}, raters=6, clips=12)
    sources = {f"c{i}": f"v{i // 6}" for i in range(12)}
    found = summary(votes, Study(question="", dataset=None, sources=sources))
    assert (found["n"]["clips"], found["n"]["videos"]) == (12, 2)
    apart = summary(votes)
    assert found["pairs"][0]["rate"] != apart["pairs"][0]["rate"]


def test_one_rater_has_rates_without_intervals():
    found = summary(votes_of({"x": 1.0, "y": -1.0}, raters=1))
    assert found["pairs"][0]["rate"]["value"] is not None
    assert found["pairs"][0]["rate"]["low"] is None
    assert found["systems"]["x"]["score"]["low"] is None
    assert found["pairs"][0]["p_holm"] is None


@pytest.mark.slow
def test_intervals_hold_the_truth():
    """100 studies of ten raters and ten clips who vary: benchmarks/people_coverage.py is the whole of it."""
    truth = {"x": 1.0, "y": 0.0, "z": -1.0}
    rng = np.random.default_rng(0)
    held = []
    for _ in range(100):
        taste = rng.normal(0, 0.4, (10, 3))
        votes = []
        for rater, own in enumerate(taste):
            scores = dict(zip(truth, np.array(list(truth.values())) + own, strict=True))
            votes += [v for v in votes_of(scores, 10, 10, int(rng.integers(1e9))) if v.rater == f"r{rater}"]
        score = summary(votes)["systems"]["y"]["score"]
        held.append(score["low"] <= 0.0 <= score["high"])
    assert np.mean(held) >= 0.9


def test_the_file(tmp_path):
    found = summary(votes_of({"x": 1.0, "y": -1.0}, 3, 3), HERE, [Excluded("bad", 1, 8, 4)])
    path = write_people(tmp_path, found)
    assert read_people(path) == found
    assert people_of(tmp_path, ("d", "test", "a" * 64)) == [found]
    assert people_of(tmp_path, ("d", "test", "b" * 64)) == []
    other = summary(votes_of({"x": 1.0, "y": -1.0}, 4, 3), HERE)
    newer = write_people(tmp_path, other)
    assert list(tmp_path.glob("*.json")) == [newer]  # the same question and clips: it takes its place
    path.write_text(newer.read_text())
    with pytest.raises(ResultError, match="was edited after it was written"):
        read_people(path)


def test_what_the_file_may_not_hold(tmp_path):
    found = summary(votes_of({"x": 1.0, "y": -1.0}, 3, 3), HERE)
    for change, words in (
        (lambda f: f["systems"]["x"]["score"].update(low=9.0), "outside its interval"),
        (lambda f: f["systems"]["x"]["score"].update(low=None), "one end of an interval"),
        (lambda f: f["pairs"][0].update(first="w"), "names 'w', which is none of the systems"),
        (lambda f: f["pairs"][0].update(p_holm=2.0), "p_holm is 2.0"),
        (lambda f: f.pop("screening"), "lacks screening"),
    ):
        broken = summary(votes_of({"x": 1.0, "y": -1.0}, 3, 3), HERE)
        change(broken)
        with pytest.raises(ResultError, match=words):
            write_people(tmp_path, broken)
    assert not list(tmp_path.iterdir())
    assert found["kind"] == "people"


def test_the_table_says_it_all():
    text = people_text(summary(votes_of({"x": 1.0, "y": -1.0}, 3, 3), HERE, [Excluded("bad", 1, 8, 4)]))
    for words in ("9 votes (0 ties) of 3 raters about 3 clips", "asked: Which?", "screening: the rule"):
        assert words in text
    assert "left out: rater bad, 1 of 8 checks right, 4 votes" in text
    assert "Krippendorff's alpha" in text
    assert "p (Holm): corrected over all pairs of the test" in text
