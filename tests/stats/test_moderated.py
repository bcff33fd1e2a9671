"""Variances of few values, drawn towards what groups have in common."""

import math

import numpy as np
import pytest
from scipy.special import polygamma

from foleybench.stats.moderated import LEAST_GROUPS, CommonLaw, Variance, _inverse_trigamma, common_law


def drawn(rng, freedom, law_freedom, scale=4.0, n=4000):
    """Return groups whose true variances are scaled inverse chi-squared; without a law's freedom they are equal."""
    true = np.full(n, scale) if math.isinf(law_freedom) else scale * law_freedom / rng.chisquare(law_freedom, n)
    return true, [Variance(v, freedom) for v in true * rng.chisquare(freedom, n) / freedom]


@pytest.mark.parametrize("law_freedom", [2.0, 6.0, 20.0])
def test_the_law_that_made_the_groups_is_found(law_freedom):
    _, groups = drawn(np.random.default_rng(0), 2, law_freedom)
    law = common_law(groups)
    assert law.scale == pytest.approx(4.0, rel=0.1)
    assert 1 / law.freedom == pytest.approx(1 / law_freedom, rel=0.2, abs=0.02)


def test_groups_that_differ_by_chance_alone_have_one_pooled_variance():
    law = common_law([Variance(1.0, 2), Variance(1.2, 2), Variance(0.9, 4)])
    assert law == CommonLaw(pytest.approx((2 + 2.4 + 3.6) / 8), 8, True)
    assert law.moderate(Variance(0.1, 2)) == law.alone == Variance(law.scale, 8)


def test_moderated_variances_lie_nearer_to_the_true_ones():
    true, groups = drawn(np.random.default_rng(1), 2, 6.0)
    law = common_law(groups)
    own = np.array([one.variance for one in groups])
    moderated = np.array([law.moderate(one).variance for one in groups])
    far = np.abs(np.log(own / true)).mean(), np.abs(np.log(moderated / true)).mean()
    assert far[1] < 0.5 * far[0]


def test_groups_without_a_variance_are_left_out():
    groups = [Variance(v, 2) for v in (1.0, 3.0, 9.0)]
    assert common_law([*groups, Variance(0.0, 2), Variance(5.0, 0)]) == common_law(groups)
    assert common_law([*groups[: LEAST_GROUPS - 1], Variance(0.0, 2)]) is None


def test_by_hand():
    """A variance of 1 with 2 degrees of freedom and a law of 4 with 6: (2 + 24) / 8."""
    assert CommonLaw(4.0, 6, False).moderate(Variance(1.0, 2)) == Variance(3.25, 8)


@pytest.mark.parametrize("x", [1e-3, 0.5, 1.0, 7.0, 1e4])
def test_the_trigamma_function_is_inverted(x):
    assert _inverse_trigamma(float(polygamma(1, x))) == pytest.approx(x, rel=1e-6)
