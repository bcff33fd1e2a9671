"""Pairs of systems and shared ranks within a table."""

import numpy as np
import pytest

from foleybench.leaderboard.significance import Comparison, Standing, compare_all, standings
from foleybench.stats.intervals import Paired, paired_test
from foleybench.stats.pools import mean_of

MEAN = mean_of("x")


def system(offset, seed, n=60, first=0):
    draw = np.random.default_rng(seed)
    return {f"v{i:03d}": {"x": np.array(offset + draw.normal())} for i in range(first, first + n)}


def sources(*systems):
    return {clip_id: clip_id for found in systems for clip_id in found}


def test_pairs_are_told_apart_where_they_differ():
    systems = [system(3.0, 1), system(2.95, 2), system(0.0, 3)]
    found = compare_all(MEAN, systems, sources(*systems))
    assert [(c.first, c.second) for c in found] == [(0, 1), (0, 2), (1, 2)]
    assert [c.p_holm < 0.05 for c in found] == [False, True, True]
    ranks = standings(3, "higher", found)
    assert [(low, high) for low, high, _ in ranks] == [(1, 2), (1, 2), (3, 3)]
    assert [best for *_, best in ranks] == [True, True, False]


def test_lower_is_better_turns_the_ranks_round():
    systems = [system(3.0, 1), system(0.0, 3)]
    found = compare_all(MEAN, systems, sources(*systems))
    assert standings(2, "lower", found) == [Standing(2, 2, False), Standing(1, 1, True)]


def test_a_pair_is_the_same_as_the_paired_test():
    """Difference and n exactly; interval and p-value up to the noise of other resamples."""
    systems = [system(1.0, 1), system(0.8, 2)]
    (found,) = compare_all(MEAN, systems, sources(*systems))
    alone = paired_test(MEAN, *systems, sources(*systems), rng=np.random.default_rng(5), draws=4000)
    assert found.paired.difference == alone.difference
    assert found.paired.low == pytest.approx(alone.low, abs=0.05)
    assert found.paired.p_value == pytest.approx(alone.p_value, abs=0.05)


def test_different_coverage_is_compared_on_what_both_have():
    systems = [system(1.0, 1, n=60), system(1.0, 2, n=40, first=30), system(1.0, 3, n=10, first=200)]
    found = compare_all(MEAN, systems, sources(*systems))
    assert [c.paired.n for c in found] == [30, 0, 0]
    assert found[1].p_holm is None
    ranks = standings(3, "higher", found)
    assert ranks[2].low == 1
    assert ranks[0].best  # what was not compared is not called worse


def test_many_systems_can_still_reach_significance():
    """Holm over 66 pairs needs more than the usual thousand resamples."""
    systems = [system(10.0 * i, i) for i in range(12)]
    found = compare_all(MEAN, systems, sources(*systems))
    assert len(found) == 66
    assert max(c.p_holm for c in found) < 0.05


def test_the_best_and_those_not_told_apart_from_it():
    """A and B, and B and C, are not significantly different, but A and C are."""
    better = Paired(1.0, None, None, None, 0, 0.0, 0.0)
    found = [Comparison(0, 1, better, 0.4), Comparison(0, 2, better, 0.01), Comparison(1, 2, better, 0.4)]
    assert standings(3, "higher", found) == [(1, 2, True), (1, 3, True), (2, 3, False)]
    assert standings(3, "lower", found) == [(2, 3, False), (1, 3, True), (1, 2, True)]


def test_ranks_follow_the_paired_difference_and_not_each_systems_own_clips():
    """A reports 20 slow clips, B those (a second slower) and 20 quick ones: B's own mean is lower, and A is faster."""
    draw = np.random.default_rng(0)
    slow = {f"v{i:03d}": 5.0 + 0.05 * draw.normal() for i in range(20)}
    a = {clip_id: {"x": np.array(value)} for clip_id, value in slow.items()}
    b = {clip_id: {"x": np.array(value + 0.99 + 0.05 * draw.normal())} for clip_id, value in slow.items()}
    b |= {f"w{i:03d}": {"x": np.array(1.0)} for i in range(20)}
    assert MEAN(list(b.values())) < MEAN(list(a.values()))
    found = compare_all(MEAN, [a, b], sources(a, b))
    assert found[0].paired.difference < 0
    assert found[0].p_holm < 0.05
    assert standings(2, "lower", found) == [(1, 1, True), (2, 2, False)]
    assert standings(2, "higher", found) == [(2, 2, False), (1, 1, True)]


def test_nothing_and_one():
    assert compare_all(MEAN, [], {}) == []
    assert compare_all(MEAN, [system(0, 1)], {}) == []
    assert standings(0, "higher", []) == []
    assert standings(1, "lower", []) == [(1, 1, True)]


def test_repeats():
    systems = [system(1.0, 1), system(0.8, 2)]
    assert compare_all(MEAN, systems, sources(*systems)) == compare_all(MEAN, systems, sources(*systems))
