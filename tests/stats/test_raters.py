"""Agreement of raters: Krippendorff's own example, and by hand."""

import math

import pytest

from foleybench.stats.raters import rater_agreement


def test_the_example_of_its_author():
    """Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, section C: nominal, alpha 0.743."""
    rows = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    units = {unit: [str(row[unit]) for row in rows if row[unit] is not None] for unit in range(12)}
    found = rater_agreement(units)
    assert found.alpha == pytest.approx(0.743, abs=0.0005)
    assert found.n_units == 11  # unit 12 has one answer


def test_what_nobody_judged_twice_says_nothing():
    found = rater_agreement({"a": ["x"], "b": ["y"]})
    assert math.isnan(found.same)
    assert math.isnan(found.alpha)
    assert found.n_units == 0
    assert math.isnan(rater_agreement({"a": ["x", "x"]}).alpha)  # one answer alone: chance cannot be told


def test_pairs_within_a_unit_count_by_its_answers():
    found = rater_agreement({"a": ["x", "x", "y"], "b": ["y", "y"]})
    assert found.same == pytest.approx(1 - (4 / 2) / 5)
