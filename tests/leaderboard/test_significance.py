"""Pairs of systems and shared ranks within a table."""

import numpy as np
import pytest

from foleybench.leaderboard.significance import Comparison, Standing, compare_all, standings
from foleybench.stats.bootstrap import Paired, paired_test
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
    values = [MEAN(list(s.values())) for s in systems]
    ranks = standings(values, "higher", found)
    assert [(low, high) for low, high, _ in ranks] == [(1, 2), (1, 2), (3, 3)]
    assert [best for *_, best in ranks] == [True, True, False]


def test_lower_is_better_turns_the_ranks_round():
    systems = [system(3.0, 1), system(0.0, 3)]
    found = compare_all(MEAN, systems, sources(*systems))
    assert standings([3.0, 0.0], "lower", found) == [Standing(2, 2, False), Standing(1, 1, True)]


def test_a_pair_is_the_same_as_the_paired_test():
    """Difference and n exactly; interval and p-value up to the noise of other resamples."""
    systems = [system(1.0, 1), system(0.8, 2)]
    (found,) = compare_all(MEAN, systems, sources(*systems))
    alone = paired_test(MEAN, *systems, sources(*systems), rng=np.random.default_rng(5), resamples=4000)
    assert found.paired.difference == alone.difference
    assert found.paired.low == pytest.approx(alone.low, abs=0.05)
    assert found.paired.p_value == pytest.approx(alone.p_value, abs=0.05)


def test_different_coverage_is_compared_on_what_both_have():
    systems = [system(1.0, 1, n=60), system(1.0, 2, n=40, first=30), system(1.0, 3, n=10, first=200)]
    found = compare_all(MEAN, systems, sources(*systems))
    assert [c.paired.n for c in found] == [30, 0, 0]
    assert found[1].p_holm is None
    ranks = standings([1.0, 1.0, 9.0], "higher", found)
    assert ranks[2].low == 1
    assert ranks[0].best  # what was not compared is not called worse


def test_many_systems_can_still_reach_significance():
    """Holm over 66 pairs needs more than the usual thousand resamples."""
    systems = [system(10.0 * i, i) for i in range(12)]
    found = compare_all(MEAN, systems, sources(*systems))
    assert len(found) == 66
    assert max(c.p_holm for c in found) < 0.05


def test_the_best_and_those_not_told_apart_from_it():
    """A is not told apart from B, B not from C, but A is from C."""
    unknown = Paired(0.0, None, None, None, 0, 0.0, 0.0)
    found = [Comparison(0, 1, unknown, 0.4), Comparison(0, 2, unknown, 0.01), Comparison(1, 2, unknown, 0.4)]
    assert standings([3.0, 2.0, 1.0], "higher", found) == [(1, 2, True), (1, 3, True), (2, 3, False)]


def test_nothing_and_one():
    assert compare_all(MEAN, [], {}) == []
    assert compare_all(MEAN, [system(0, 1)], {}) == []
    assert standings([], "higher", []) == []
    assert standings([1.0], "lower", []) == [(1, 1, True)]


def test_repeats():
    systems = [system(1.0, 1), system(0.8, 2)]
    assert compare_all(MEAN, systems, sources(*systems)) == compare_all(MEAN, systems, sources(*systems))
