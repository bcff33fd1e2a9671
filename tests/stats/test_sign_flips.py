"""Sign flips of whole videos: all by hand, the inversion, the random ones, and what too few videos cannot say."""

import itertools

import numpy as np
import pytest

from foleybench.stats.sign_flips import flips


def parts(values, sizes=None):
    """Influence and weights of videos on the mean over clips."""
    values = np.asarray(values, dtype=float)
    sizes = np.ones(len(values)) if sizes is None else np.asarray(sizes, dtype=float)
    weights = sizes / sizes.sum()
    value = weights @ values
    return value, weights * (values - value), weights


def p_by_hand(values, truth, sizes=None):
    """The share of all sign vectors whose sum of ``size * (value - truth)`` is at least the observed one in size."""
    sizes = np.ones(len(values)) if sizes is None else np.asarray(sizes)
    shifted = sizes * (np.asarray(values) - truth)
    sums = [abs(np.dot(signs, shifted)) for signs in itertools.product((-1, 1), repeat=len(shifted))]
    return np.mean(np.array(sums) >= abs(shifted.sum()) * (1 - 1e-9))


@pytest.mark.parametrize("sizes", [None, [1, 1, 1, 1, 1, 1, 1], [9, 1, 4, 2, 1, 1, 3]])
@pytest.mark.parametrize("truth", [-0.7, 0.0, 0.4, 1.3])
def test_p_value_is_that_of_all_sign_vectors(sizes, truth):
    values = np.random.default_rng(3).normal(0.5, 1.0, 7)
    value, influence, weights = parts(values, sizes)
    found = flips(influence, weights, rng=np.random.default_rng(0), draws=10)
    assert len(found.below) == 2**6
    assert found.p_value(value - truth) == pytest.approx(p_by_hand(values, truth, sizes))


@pytest.mark.parametrize("sizes", [None, [9, 1, 4, 2, 1, 1, 3]])
def test_the_interval_holds_exactly_the_truths_that_are_not_rejected(sizes):
    values = np.random.default_rng(4).normal(size=7)
    value, influence, weights = parts(values, sizes)
    found = flips(influence, weights, rng=np.random.default_rng(0), draws=10)
    below, above = found.reach(0.95)
    for step in (1e-6, -1e-6):
        inside = step < 0
        assert (p_by_hand(values, value - below - step, sizes) >= 0.05) == inside
        assert (p_by_hand(values, value + above + step, sizes) >= 0.05) == inside


def test_six_equal_videos_reach_from_the_least_to_the_greatest():
    """Of six videos, only the vectors without any and with all signs flipped are below 5 %: 2 of 64."""
    values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6]
    value, influence, weights = parts(values)
    below, above = flips(influence, weights, rng=np.random.default_rng(0), draws=10).reach(0.95)
    assert (value - below, value + above) == pytest.approx((1.0, 9.0))


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_fewer_than_six_videos_reach_to_infinity(n):
    _, influence, weights = parts(np.arange(n, dtype=float))
    found = flips(influence, weights, rng=np.random.default_rng(0), draws=10)
    assert found.reach(0.95) == (np.inf, np.inf)
    assert min(found.p_value(gap) for gap in (1e9, -1e9)) == pytest.approx(2.0 ** (1 - n))


def test_random_sign_vectors_agree_with_all_of_them():
    values = np.random.default_rng(5).exponential(size=13)
    _, influence, weights = parts(values)
    exact = flips(influence, weights, rng=np.random.default_rng(0), draws=1)
    assert len(exact.below) == 2**12
    drawn = flips(np.append(influence, 0.0), np.append(weights, 0.0), rng=np.random.default_rng(0), draws=8000)
    assert len(drawn.below) == 8001
    assert drawn.reach(0.95) == pytest.approx(exact.reach(0.95), rel=0.05)
    assert drawn.p_value(0.4) == pytest.approx(exact.p_value(0.4), abs=0.02)


def test_the_same_generator_gives_the_same_bits_and_blocks_change_none(monkeypatch):
    _, influence, weights = parts(np.random.default_rng(6).normal(size=50))
    first = flips(influence, weights, rng=np.random.default_rng(1), draws=300)
    again = flips(influence, weights, rng=np.random.default_rng(1), draws=300)
    assert (first.below == again.below).all()
    assert (first.below != flips(influence, weights, rng=np.random.default_rng(2), draws=300).below).any()


def test_equal_parts_have_no_reach():
    _, influence, weights = parts([2.0] * 9)
    found = flips(influence, weights, rng=np.random.default_rng(0), draws=10)
    assert found.reach(0.95) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert found.p_value(0.0) == 1.0
    assert found.p_value(1.0) == 2.0**-8


def test_random_vectors_are_as_often_positive_as_negative():
    """Each video's sign is fair and none follows another: the thresholds then spread as n of the normal law's."""
    rng = np.random.default_rng(8)
    values = rng.normal(size=400)
    _, influence, weights = parts(values)
    found = flips(influence, weights, rng=rng, draws=4000)
    error = np.sqrt(np.sum(influence**2))
    assert found.reach(0.95) == pytest.approx((1.96 * error, 1.96 * error), rel=0.06)
    assert found.reach(0.5) == pytest.approx((0.674 * error, 0.674 * error), rel=0.06)
