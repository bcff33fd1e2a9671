import math

import numpy as np
import pytest

from foleybench.stats.pools import Ratio

STATS = [{"a": np.array(1.0), "b": np.array(2.0)}, {"a": np.array(3.0), "b": np.array(6.0)}]


def test_by_hand():
    assert Ratio("a")(STATS) == 2.0
    assert Ratio("a", ("b",))(STATS) == 0.5
    assert Ratio("a", ("a", "b"), factor=100.0)(STATS) == pytest.approx(100 / 3)
    assert Ratio("a").of_clip(STATS[1]) == 3.0


def test_nothing_has_no_value():
    assert math.isnan(Ratio("a")([]))
    assert math.isnan(Ratio("a", ("b",))([{"a": np.array(1.0), "b": np.array(0.0)}]))


def test_element_of_a_list():
    stats = [{"hits": np.array([1.0, 2.0]), "n": np.array(4.0)}]
    assert Ratio("hits", ("n",), index=0)(stats) == 0.25
    assert Ratio("hits", ("n",), index=1)(stats) == 0.5


def test_order_changes_no_bit():
    rng = np.random.default_rng(0)
    stats = [{"a": np.array(x)} for x in rng.lognormal(0, 8, 200)]
    values = {Ratio("a")([stats[i] for i in rng.permutation(200)]) for _ in range(20)}
    assert len(values) == 1


def test_many_resamples_at_once_agree_with_one_by_one():
    rng = np.random.default_rng(1)
    stats = [{"a": np.array(x), "b": np.array(y)} for x, y in rng.uniform(0, 1, (20, 2))]
    picks = rng.integers(20, size=(50, 20))
    counts = np.stack([np.bincount(pick, minlength=20) for pick in picks])
    for pool in (Ratio("a"), Ratio("a", ("b",)), Ratio("a", ("a", "b"), factor=2.0)):
        one_by_one = [pool([stats[i] for i in pick]) for pick in picks]
        np.testing.assert_allclose(pool.many(stats, counts), one_by_one, rtol=1e-12)


def test_a_resample_without_a_denominator_has_no_value():
    stats = [{"a": np.array(0.0), "b": np.array(0.0)}, {"a": np.array(1.0), "b": np.array(2.0)}]
    np.testing.assert_array_equal(Ratio("a", ("b",)).many(stats, np.array([[2, 0], [1, 1]])), [np.nan, 0.5])
