"""Rows that sample the same networks: the law of what is left of their luck, by hand and by simulation."""

import numpy as np
import pytest
from scipy import stats as distributions

from foleybench.reproduce import same_networks
from foleybench.reproduce.measure import between_seeds, difference_over_seeds, row_difference
from foleybench.reproduce.same_networks import law_of_differences, law_within_networks
from foleybench.stats.moderated import CommonLaw
from foleybench.stats.ranking import holm
from tests.reproduce.test_moderated_rows import row

CHANGE = np.tile([1.0, -1.0], 175) * 1e-3


def test_the_luck_of_a_network_is_no_part_of_the_law():
    rows = np.random.default_rng(0).normal(0, 1, (7, 3))
    law = law_of_differences(rows)
    luck = np.array([0.0, 100.0, -50.0])
    assert law_of_differences(rows + luck) == pytest.approx(law)


@pytest.mark.parametrize("n_rows", [3, 40])
def test_equal_variances_are_told_without_bias(n_rows):
    """What is left of rows has the degrees of freedom of a two-way layout, (rows - 1) (seeds - 1), and the variance 4.

    Differences from the reference have 2 each and twice that variance.
    """
    rng = np.random.default_rng(1)
    found = [_told(rng.normal(0, 2, (n_rows, 3)) + rng.normal(0, 9, 3)) for _ in range(2000 // n_rows)]
    left, gaps = (np.array([pair[which] for pair in found]) for which in range(2))
    assert left[:, 0].mean() == pytest.approx(4.0, rel=0.1)
    assert left[:, 1] == pytest.approx(2.0 * (n_rows - 1))
    assert gaps[:, 0].mean() == pytest.approx(8.0, rel=0.15)
    assert gaps[:, 1] == pytest.approx(2.0 * (n_rows - 1))


def _told(rows):
    """Return, of what is left and of differences, the mean variance that a law is told, and all degrees of freedom."""
    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(same_networks, "common_law", made.append)
        law_of_differences(rows)
    return [(np.mean([one.variance for one in groups]), sum(one.freedom for one in groups)) for groups in made]


def test_a_reference_that_varies_more_widens_the_law():
    """All differences have its variance; of what is left of five rows it is one."""
    small = np.array([[0.1, 0.0, -0.1], [0.0, 0.1, -0.1], [-0.1, 0.2, 0.0], [0.1, -0.1, 0.1]])
    rows = np.vstack([small, [[1.0, -2.0, 2.0]]])
    law = law_of_differences(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(same_networks, "_law", _first_alone())
        alone = law_of_differences(rows)
    assert law.scale > 1.5 * alone.scale
    assert law.freedom <= alone.freedom


def _first_alone():
    calls, real = [], same_networks._law

    def law(*words):
        calls.append(words)
        return real(*words) if len(calls) == 1 else None

    return law


@pytest.mark.parametrize(
    "values",
    [np.zeros((7, 1)), np.zeros((2, 3)), np.full((7, 3), np.nan), np.tile([0.1, 0.1, 0.3], (7, 1))],
    ids=["one seed", "two rows", "undefined", "the same differences"],
)
def test_too_little_tells_no_law(values):
    assert law_of_differences(values) is None


def test_rows_without_a_value_are_left_out():
    rows = np.random.default_rng(0).normal(0, 1, (7, 3))
    undefined = np.where(np.arange(8)[:, None] == 3, np.nan, np.insert(rows, 3, 0.0, axis=0))
    assert law_of_differences(undefined) == law_of_differences(rows)
    assert law_of_differences(np.insert(rows, 7, np.nan, axis=0)) is None


def test_a_law_is_told_by_the_rows_values_of_every_seed():
    clips = np.linspace(1.0, 2.0, 30)
    values = np.array([[0.0, 0.1, 0.3], [0.2, 0.2, 0.1], [0.0, 0.4, 0.5], [0.1, 0.0, 0.2]])
    *rows, last = (row(*(clips + value for value in one), law=None) for one in values)
    expected = law_of_differences(values)
    assert law_within_networks("kld_mini", rows, last) == pytest.approx(expected)
    assert law_within_networks("kld_mini", [], last) is None


def test_a_difference_within_networks_takes_their_law_and_not_that_of_runs():
    """Differences 1, 1.2 and 1.1 (variance .01), a law of .06 with 4: (2 * .01 + 4 * .06) / 6."""
    zero = np.linspace(5.0, 6.0, 50)
    first, second = row(zero + 1.0, zero + 1.2, zero + 1.1), row(zero, zero, zero)
    found = row_difference("kld_mini", first, second, within=CommonLaw(0.06, 4.0, 14.0))
    assert found.by_seeds == pytest.approx((2 * 0.01 + 4 * 0.06) / 6 / 3)
    assert (found.freedom, found.law_freedom) == (pytest.approx(6.0), 4.0)


def test_one_seed_takes_no_law_within_networks():
    zero = np.linspace(5.0, 6.0, 50)
    pair = row(zero + np.linspace(0, 1, 50)), row(zero)
    assert row_difference("kld_mini", *pair, within=CommonLaw(9.0, 4.0, 14.0)) == row_difference("kld_mini", *pair)


@pytest.mark.parametrize("n_rows", [7, 11])
def test_rows_of_the_same_networks_are_hardly_ever_called_different(n_rows):
    """Equal rows, each against the last: with their own variances, 14 to 20 % of such pages name one."""
    rng, n = np.random.default_rng(2), 300
    wrong = 0
    for _ in range(n):
        rows = rng.normal(0, 1, (n_rows, 3)) + rng.normal(0, 5, 3)
        law = law_of_differences(rows)
        gaps = [one - rows[-1] for one in rows[:-1]]
        wrong += min(holm([difference_over_seeds(gap, CHANGE, between_seeds(gap, law)).p_value for gap in gaps])) < 0.05
    assert distributions.binomtest(wrong, n, 0.05, alternative="greater").pvalue > 0.01
