import math

import numpy as np
import pytest

from foleybench.stats.pools import Ratio, mean_of

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


@pytest.mark.parametrize("pool", [Ratio("a"), Ratio("a", ("b",)), Ratio("a", ("a", "b"), factor=2.0), mean_of("a")])
def test_influence_is_the_derivative_with_the_weight_of_a_clip(pool):
    rng = np.random.default_rng(1)
    stats = [{"a": np.array(x), "b": np.array(y)} for x, y in rng.uniform(0, 1, (20, 2))]
    found = pool.influence(stats)
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.change.sum() == pytest.approx(0.0, abs=1e-12)
    for index in range(20):
        # A clip that comes once more has weight w / (1 + w) more: exact for ratios of sums.
        more = pool([*stats, stats[index]]) - pool(stats)
        assert more * (1 + found.weights[index]) == pytest.approx(found.change[index])


def test_weights_are_shares_of_the_denominator():
    assert Ratio("a", ("b",)).influence(STATS).weights == pytest.approx([0.25, 0.75])
    assert Ratio("a").influence(STATS).weights == pytest.approx([0.5, 0.5])
