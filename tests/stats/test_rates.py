"""Exact intervals of rates: against scipy, at both ends, with clips that hang together, how often they are right."""

import numpy as np
import pytest
from scipy import stats as distributions

from foleybench.stats.influence import Influence
from foleybench.stats.rates import clopper_pearson, rate_interval


def influence(hits, sizes):
    hits, sizes = np.asarray(hits, dtype=float), np.asarray(sizes, dtype=float)
    share = hits.sum() / sizes.sum()
    return share, Influence((hits - share * sizes) / sizes.sum(), sizes / sizes.sum())


@pytest.mark.parametrize(("hits", "n"), [(0, 6), (1, 20), (10, 20), (19, 20), (20, 20), (203, 208)])
def test_one_clip_a_video_is_scipys_exact_interval(hits, n):
    share, found = influence([1] * hits + [0] * (n - hits), [1] * n)
    wanted = distributions.binomtest(hits, n).proportion_ci(0.95, "exact")
    assert rate_interval(share, found, n, 0.95) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_twenty_hits_of_twenty_are_not_certain():
    assert clopper_pearson(20, 20, 0.95).low == pytest.approx(0.025 ** (1 / 20))
    assert clopper_pearson(0, 20, 0.95) == pytest.approx((0.0, 1 - 0.025 ** (1 / 20)))


def test_copies_of_clips_tell_nothing_new():
    """Ten copies of every clip: as wide as one copy and wider, since the spread is estimated, never narrower."""
    share, single = influence([1] * 15 + [0] * 5, [1] * 20)
    one = rate_interval(share, single, 20, 0.95)
    share, copies = influence([10] * 15 + [0] * 5, [10] * 20)
    ten = rate_interval(share, copies, 200, 0.95)
    assert ten.low < one.low + 0.01
    assert ten.high > one.high - 0.01
    assert ten.high - ten.low < 1.15 * (one.high - one.low)


def test_effective_number_by_hand():
    """Korn and Graubard: p (1 - p) / variance, times (z / t)^2 with one video less than there are."""
    hits = np.array([5, 4, 0, 5, 5, 1, 5, 3])
    share, found = influence(hits, [5] * 8)
    variance = (hits / 5).var(ddof=1) / 8
    size = share * (1 - share) / variance * (distributions.norm.ppf(0.975) / distributions.t.ppf(0.975, 7)) ** 2
    assert size < 40
    assert rate_interval(share, found, 40, 0.95) == pytest.approx(clopper_pearson(share * size, size, 0.95))


def test_all_hits_count_videos_and_not_clips():
    share, found = influence([10] * 8, [10] * 8)
    assert rate_interval(share, found, 80, 0.95).low == pytest.approx(clopper_pearson(8, 8, 0.95).low)
    share, found = influence([93, 1, 1, 1, 1, 1, 1, 1], [93, 1, 1, 1, 1, 1, 1, 1])
    assert rate_interval(share, found, 100, 0.95).low < 0.1  # as little as one video


def test_effective_number_is_never_above_that_of_the_trials():
    """Videos whose rates happen to agree closely are no evidence of more trials than there were."""
    share, found = influence([5, 5, 5, 5, 5, 5, 5, 6], [10] * 8)
    wanted = distributions.binomtest(41, 80).proportion_ci(0.95, "exact")
    assert rate_interval(share, found, 80, 0.95).low <= wanted.low + 1e-9


@pytest.mark.parametrize(("rate", "n"), [(0.95, 20), (0.98, 30), (0.99, 10), (0.5, 12), (0.995, 300)])
def test_exact_interval_covers_at_least_95_percent(rate, n):
    """The true coverage, summed over all counts and not simulated."""
    hits = np.arange(n + 1)
    held = [low <= rate <= high for low, high in (clopper_pearson(k, n, 0.95) for k in hits)]
    assert distributions.binom.pmf(hits, n, rate) @ held >= 0.95


def test_rates_near_one_of_videos_with_five_clips():
    rng = np.random.default_rng(0)
    hits = rng.binomial(5, rng.beta(0.95 * 7 / 3, 0.05 * 7 / 3, (600, 20)))
    ends = [rate_interval(*influence(row, [5] * 20), 100, 0.95) for row in hits]
    assert np.mean([low <= 0.95 <= high for low, high in ends]) >= 0.95
