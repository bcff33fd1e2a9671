"""Rank correlation: by hand, its limits, and how often its interval holds the truth."""

import math

import numpy as np
import pytest
from scipy import special

from foleybench.stats.rank_correlation import rank_correlation


def test_interval_by_hand():
    """Two neighbours of six exchanged: 1 - 6 * 2 / 210, as Bonett and Wright have it."""
    found = rank_correlation([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 6, 5])
    rho = 1 - 12 / 210
    half = special.ndtri(0.975) * math.sqrt((1 + rho**2 / 2) / 3)
    assert found.spearman == pytest.approx(rho)
    assert found.kendall == pytest.approx(13 / 15)
    assert found.interval == pytest.approx((math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half)))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_same_order_is_no_certainty(sign):
    found = rank_correlation([1, 2, 3, 4, 5], [sign * n for n in (1, 2, 3, 4, 5)])
    assert found.spearman == pytest.approx(sign)
    low, high = sorted(sign * end for end in found.interval)
    assert low < 0.5
    assert high == pytest.approx(1.0)


def test_what_cannot_be_said():
    for first, second in (([1, 2, 3, 4], [1, 2, 3, 4]), ([1, 1, 1, 1, 1], [1, 2, 3, 4, 5])):
        found = rank_correlation(first, second)
        assert math.isnan(found.spearman)
        assert math.isnan(found.kendall)
        assert found.interval is None
        assert found.n == len(first)


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_the_interval_holds_the_truth(rho):
    rng = np.random.default_rng(0)
    pearson, held = 2 * math.sin(math.pi * rho / 6), 0
    for _ in range(400):
        first = rng.normal(size=8)
        second = pearson * first + math.sqrt(1 - pearson**2) * rng.normal(size=8)
        low, high = rank_correlation(first.tolist(), second.tolist()).interval
        held += low <= rho <= high
    assert 0.92 <= held / 400 <= 0.99
