"""What clips and seeds can find: against simulation, and back again."""

import math

import numpy as np
import pytest
from scipy import stats as distributions

from foleybench.reproduce.measure import Difference
from foleybench.reproduce.power import clips_and_seeds_needed, smallest_found


def test_without_an_error_nothing_is_told():
    assert smallest_found(Difference(0.0, None)) is None


def test_a_difference_of_the_smallest_size_found_is_found_in_four_of_five():
    rng = np.random.default_rng(11)
    n = 40
    size = smallest_found(Difference(0.0, 1.0, 1.0 / math.sqrt(n), n - 1.0))
    samples = rng.normal(size, 1.0, (4000, n))
    p_values = distributions.ttest_1samp(samples, 0.0, axis=1).pvalue
    assert np.mean(p_values < 0.05) == pytest.approx(0.8, abs=0.02)


def test_clips_and_seeds_that_are_needed_find_the_margin():
    """With as many of both the smallest difference is the margin, and half of the variance or less is of seeds."""
    for by_seeds, law in ((0.01, 0), (0.5, 0), (0.5, 6), (0.9, 0), (0.9, 6)):
        gap = Difference(0.0, 1.0, 1.0, 8.0, by_seeds, law)
        for margin in (5.0, 1.0, 0.5):
            clips, seeds = clips_and_seeds_needed(gap, margin, 100, 3)
            of_seeds, of_clips = 3 * by_seeds / seeds, (1 - by_seeds) * 100 / clips
            size = smallest_found(Difference(0.0, 1.0, math.sqrt(of_seeds + of_clips), 4 * (seeds - 1 + law)))
            assert size == pytest.approx(margin, rel=1e-6)
            assert of_seeds <= 1.000001 * of_clips
            if seeds > 2:  # one fewer would leave less than half
                fewer = 3 * by_seeds / (seeds - 1)
                assert smallest_found(Difference(0.0, 1.0, math.sqrt(2 * fewer), 4 * (seeds - 2 + law))) > margin


def test_clips_alone_where_seeds_do_not_matter_or_are_not_known():
    gap = Difference(0.0, 1.0, 1.0)
    size = smallest_found(gap)
    assert clips_and_seeds_needed(gap, size, 100, 1) == (pytest.approx(100), None)
    assert clips_and_seeds_needed(gap, size / 2, 100, 1) == (pytest.approx(400), None)
    assert clips_and_seeds_needed(gap._replace(by_seeds=0.0), size, 100, 3) == (pytest.approx(100), 1)
    assert clips_and_seeds_needed(Difference(0.0, 1.0, 1.0, 4.0, 0.99), 0.1, 100, 3) == (math.inf, math.inf)
    assert clips_and_seeds_needed(Difference(0.0, None), 1.0, 100, 3) is None
