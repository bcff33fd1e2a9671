"""Hall's correction: its formula, its inverse, and that unequal videos do not set it off."""

import numpy as np
import pytest
from scipy import stats as distributions

from foleybench.stats.skewness import Skewness


def of(values):
    values = np.asarray(values, dtype=float)
    n = len(values)
    return Skewness.of((values - values.mean()) / n, np.full(n, 1 / n))


def test_error_is_the_textbook_standard_error():
    """With n - 1: without it the error of six values is 9 % too small."""
    values = np.random.default_rng(0).normal(size=6)
    assert of(values).error == pytest.approx(values.std(ddof=1) / np.sqrt(6), rel=1e-12)


def test_skewness_is_that_of_scipy_over_the_root_of_n():
    values = np.random.default_rng(1).exponential(size=9)
    assert of(values).skewness == pytest.approx(distributions.skew(values, bias=False) / 3.0, rel=1e-12)


def test_correction_by_hand():
    """Hall's g(t) = t + a t^2 / 3 + a^2 t^3 / 27 + a / 6 with a = skewness / root n."""
    found = Skewness(error=2.0, skewness=0.3)
    student = 1.5 / 2.0
    assert found.corrected(1.5) / 2.0 == pytest.approx(student + 0.1 * student**2 + 0.09 * student**3 / 27 + 0.05)


@pytest.mark.parametrize("skewness", [-0.9, -0.2, 0.0, 0.4, 1.1])
@pytest.mark.parametrize("deviation", [-3.0, -0.1, 0.0, 2.0])
def test_turned_is_the_inverse(skewness, deviation):
    found = Skewness(error=0.7, skewness=skewness)
    assert found.turned(found.corrected(deviation)) == pytest.approx(deviation, abs=1e-12)


def test_symmetric_and_constant_values_are_left_alone():
    assert of([1.0, 2.0, 3.0, 4.0]).corrected(0.4) == pytest.approx(0.4)
    assert of([2.0] * 5) == (0.0, 0.0)
    assert of([2.0] * 5).corrected(0.4) == 0.4
    assert of([1.0, 5.0]).turned(np.inf) == np.inf


def test_skewness_that_comes_from_unequal_videos_counts_little():
    sizes = np.array([100.0] + [1.0] * 39)
    weights = sizes / sizes.sum()
    values = np.random.default_rng(2).normal(size=40)
    influence = weights * (values - weights @ values)
    raw = distributions.skew(influence, bias=False) / np.sqrt(40)
    assert abs(Skewness.of(influence, weights).skewness) < 0.06 * abs(raw)
