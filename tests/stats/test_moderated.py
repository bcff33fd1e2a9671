"""Variances of few values, drawn towards what groups have in common."""

import math

import numpy as np
import pytest
from scipy import optimize
from scipy import stats as distributions

from foleybench.stats.moderated import LEAST_GROUPS, CommonLaw, Variance, common_law


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


@pytest.mark.parametrize("freedom", [[2] * 12, [2, 4, 20, 2, 1, 3, 2, 2, 2, 2, 2, 2]])
def test_the_law_is_the_most_likely_one(freedom):
    """SciPy's F distribution, and a search without gradients."""
    rng = np.random.default_rng(4)
    freedom = np.array(freedom, dtype=float)
    variance = 3.0 * np.exp(rng.normal(0, 1.0, 12)) * rng.chisquare(freedom) / freedom

    def unlikeliness(logs):
        scale, own = np.exp(logs)
        return -np.sum(distributions.f.logpdf(variance / scale, freedom, own) - np.log(scale))

    found = optimize.minimize(unlikeliness, [1.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    law = common_law([Variance(*one) for one in zip(variance, freedom, strict=True)])
    assert 0.5 < law.freedom < 30.0
    assert (law.scale, law.freedom) == pytest.approx(tuple(np.exp(found.x)), rel=1e-4)
    assert law.pooled == freedom.sum()


def test_groups_that_differ_by_chance_alone_know_no_more_than_all_together():
    law = common_law([Variance(1.0, 2), Variance(1.2, 2), Variance(0.9, 4)])
    assert law.freedom == pytest.approx(8.0)
    assert law.scale == pytest.approx((2 + 2.4 + 3.6) / 8, rel=0.02)
    assert law.moderate(Variance(law.scale, 2)) == (pytest.approx(law.scale), 8)
    assert law.moderate(Variance(0.0, 2)).variance == pytest.approx(0.8 * law.scale)


def test_groups_further_apart_have_no_surer_law():
    """Three groups of two degrees of freedom each, ever less alike."""
    laws = [
        common_law([Variance(v, 2) for v in (1.0, math.sqrt(top), top)]) for top in (1.0, 4.0, 13.0, 13.2, 40.0, 1e3)
    ]
    freedoms = [law.freedom for law in laws]
    assert freedoms == sorted(freedoms, reverse=True)
    assert freedoms[0] == pytest.approx(6.0)
    assert freedoms[-1] < 3.0


def test_one_group_that_varies_far_more_keeps_its_own_variance_in_part():
    """Thirteen groups alike and one with sixteen times their variance, as VAB's core in KLD."""
    rng = np.random.default_rng(0)
    alike = [Variance(v, 2) for v in rng.chisquare(2, 13) / 2]
    far = Variance(16.0, 2)
    told = common_law([*alike, far]).moderate(far)
    assert told.variance > 3.0
    assert common_law(alike).freedom > common_law([*alike, far]).freedom


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
    assert CommonLaw(4.0, 6, 28).moderate(Variance(1.0, 2)) == Variance(3.25, 8)
    assert CommonLaw(4.0, 6, 7).moderate(Variance(1.0, 2)) == Variance(3.25, 7)
    assert CommonLaw(4.0, 6, 28).of_two() == CommonLaw(8.0, 6, 28)
