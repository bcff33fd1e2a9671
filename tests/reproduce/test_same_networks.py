"""Rows that sample the same networks: the law of what is left of their luck, by hand and by simulation."""

import numpy as np
import pytest
from scipy import stats as distributions

from foleybench.reproduce import same_networks
from foleybench.reproduce.measure import between_seeds, difference_over_seeds, row_difference
from foleybench.reproduce.same_networks import law_of_residuals, law_within_networks
from foleybench.stats.moderated import CommonLaw
from foleybench.stats.ranking import holm
from tests.reproduce.test_moderated_rows import row

CHANGE = np.tile([1.0, -1.0], 175) * 1e-3


def test_the_luck_of_a_network_is_no_part_of_the_law():
    rows = np.random.default_rng(0).normal(0, 1, (7, 3))
    law = law_of_residuals(rows)
    assert law_of_residuals(rows + np.array([0.0, 100.0, -50.0])) == pytest.approx(law)


@pytest.mark.parametrize("n_rows", [3, 40])
def test_equal_variances_are_told_without_bias(n_rows):
    """Degrees of freedom are those of a two-way layout, (rows - 1) (seeds - 1); the mean variance is 4."""
    rng = np.random.default_rng(1)
    found = [_told(rng.normal(0, 2, (n_rows, 3)) + rng.normal(0, 9, 3)) for _ in range(2000 // n_rows)]
    assert np.mean([variance for variance, _ in found]) == pytest.approx(4.0, rel=0.1)
    assert {round(freedom, 6) for _, freedom in found} == {2.0 * (n_rows - 1)}


def _told(rows):
    """Return the mean of the variances from which the law is made, and their degrees of freedom together."""
    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(same_networks, "common_law", made.extend)
        law_of_residuals(rows)
    return np.mean([one.variance for one in made]), sum(one.freedom for one in made)


@pytest.mark.parametrize("values", [np.zeros((7, 1)), np.zeros((1, 3)), np.full((7, 3), np.nan)])
def test_too_little_tells_no_law(values):
    assert law_of_residuals(values) is None


def test_a_law_is_told_by_the_rows_values_of_every_seed():
    clips = np.linspace(1.0, 2.0, 30)
    values = np.array([[0.0, 0.1, 0.3], [0.2, 0.2, 0.1], [0.0, 0.4, 0.5], [0.1, 0.0, 0.2]])
    rows = [row(*(clips + value for value in one), law=None) for one in values]
    assert law_within_networks("kld_mini", rows) == pytest.approx(law_of_residuals(values))


def test_a_difference_within_networks_takes_their_law_and_not_that_of_runs():
    """Differences 1, 1.2 and 1.1 (variance .01), a law of twice .03 with 4: (2 * .01 + 4 * .06) / 6."""
    zero = np.linspace(5.0, 6.0, 50)
    first, second = row(zero + 1.0, zero + 1.2, zero + 1.1), row(zero, zero, zero)
    found = row_difference("kld_mini", first, second, within=CommonLaw(0.03, 4.0, 14.0))
    assert found.by_seeds == pytest.approx((2 * 0.01 + 4 * 0.06) / 6 / 3)
    assert (found.freedom, found.law_freedom) == (pytest.approx(6.0), 4.0)


def test_one_seed_takes_no_law_within_networks():
    zero = np.linspace(5.0, 6.0, 50)
    pair = row(zero + np.linspace(0, 1, 50)), row(zero)
    assert row_difference("kld_mini", *pair, within=CommonLaw(9.0, 4.0, 14.0)) == row_difference("kld_mini", *pair)


@pytest.mark.parametrize("n_rows", [7, 11])
def test_rows_of_the_same_networks_are_hardly_ever_called_different(n_rows):
    """Equal rows, each against the last: with their own variances, 14 to 20 % of such pages name one."""
    rng, n = np.random.default_rng(2), 400
    wrong = 0
    for _ in range(n):
        rows = rng.normal(0, 1, (n_rows, 3)) + rng.normal(0, 5, 3)
        law = law_of_residuals(rows).of_two()
        gaps = [one - rows[-1] for one in rows[:-1]]
        wrong += min(holm([difference_over_seeds(gap, CHANGE, between_seeds(gap, law)).p_value for gap in gaps])) < 0.05
    assert distributions.binomtest(wrong, n, 0.05, alternative="greater").pvalue > 0.01
