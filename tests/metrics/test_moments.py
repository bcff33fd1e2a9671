"""Weighted moments, distances of many resamples, and the biases of the distance."""

import numpy as np
import pytest

from foleybench.errors import FoleyError
from foleybench.metrics._math.distances import FrechetPool, corrected_distance, distance_of
from foleybench.metrics._math.frechet import analytic_bias, distance_of_moments, frechet_distance
from foleybench.metrics._math.frechet_resampled import distances, first_order
from foleybench.metrics._math.moments import Moments
from foleybench.metrics._math.rows import Rows
from foleybench.stats.bootstrap import clip_counts, draw_sources, replicates

X = np.random.default_rng(1).standard_normal((300, 12)) * np.linspace(0.2, 3.0, 12) + 5.0
Y = np.random.default_rng(2).standard_normal((260, 12)) + 5.5


def same(one, two, rel=1e-12):
    assert one.n == two.n
    np.testing.assert_allclose(one.mean, two.mean, rtol=rel)
    np.testing.assert_allclose(one.scatter, two.scatter, rtol=rel, atol=1e-9)


def test_covariance_is_the_textbook_one_even_far_from_zero():
    np.testing.assert_allclose(Moments.of(X).covariance, np.cov(X, rowvar=False), rtol=1e-12)
    np.testing.assert_allclose(Moments.of(X + 1e6).covariance, np.cov(X, rowvar=False), rtol=1e-5, atol=1e-8)


def test_weights_are_repetitions():
    weights = np.random.default_rng(3).integers(0, 4, len(X)).astype(float)
    same(Moments.of(X, weights), Moments.of(np.repeat(X, weights.astype(int), axis=0)))


@pytest.mark.parametrize("bad", [np.zeros((0, 3)), np.zeros(3), np.array([[np.nan, 1.0]])])
def test_moments_refuse_what_has_none(bad):
    with pytest.raises(FoleyError):
        Moments.of(bad)
    with pytest.raises(FoleyError, match="no covariance"):
        _ = Moments.of(X[:1]).covariance
    with pytest.raises(FoleyError, match="widths"):
        distance_of_moments(Moments.of(X), Moments.of(X[:, :3]))


@pytest.mark.parametrize("n", [300, 13, 12, 8, 2])
def test_distance_of_moments_is_that_of_the_rows(n):
    found = distance_of_moments(Moments.of(X[:n]), Moments.of(Y))
    assert found == pytest.approx(frechet_distance(X[:n], Y), rel=1e-8)
    assert distance_of_moments(Moments.of(X[:n]), Moments.of(X[:n])) == pytest.approx(0.0, abs=1e-6)


def clips(n, width, rows=3, seed=0):
    draw = np.random.default_rng(seed)
    sizes = draw.integers(1, rows + 1, n)
    return [
        {"reference": draw.normal(size=(k, width)), "generated": 0.3 + 1.4 * draw.normal(size=(k, width))}
        for k in sizes
    ]


class OneByOne:
    """The same distance without ``many``."""

    def __call__(self, stats):
        return distance_of([(stat["reference"], stat["generated"]) for stat in stats])


@pytest.mark.slow
@pytest.mark.parametrize(("n", "width"), [(80, 4), (60, 24), (40, 40), (20, 64), (160, 300), (700, 257)])
def test_fast_resampling_is_the_slow_one(n, width):
    """By second moments side by side, by singular values, and by weighted moments one at a time."""
    stats = clips(n, width)
    groups = [np.array([i]) for i in range(n)]
    counts = clip_counts(groups, draw_sources(n, 4 if width > 256 else 12, np.random.default_rng(4)))
    fast, slow = replicates(FrechetPool(), stats, counts), replicates(OneByOne(), stats, counts)
    np.testing.assert_allclose(fast, slow, rtol=1e-7)


def test_first_order_resamples_spread_like_exact_ones():
    stats = clips(300, 6, seed=5)
    pairs = [(stat["reference"], stat["generated"]) for stat in stats]
    first, second = (Rows.of([pair[side] for pair in pairs]) for side in (0, 1))
    counts = draw_sources(300, 400, np.random.default_rng(6))
    exact, linear = distances(first, second, counts), distances(first, second, counts, budget=0.0)
    np.testing.assert_array_equal(linear, first_order(first, second, counts))
    assert np.std(linear) == pytest.approx(np.std(exact), rel=0.1)
    assert np.corrcoef(exact, linear)[0, 1] > 0.97
    assert linear.mean() == pytest.approx(frechet_distance(first.values, second.values), rel=0.02)


@pytest.mark.parametrize("width", [5, 50])
def test_first_order_is_the_derivative(width):
    """One clip a little heavier, by hand: differences of the weighted distance, regular and singular."""
    stats = clips(30, width, seed=7)
    first, second = (Rows.of([stat[side] for stat in stats]) for side in ("reference", "generated"))
    step = 1e-4
    for clip in (0, 11):
        bumped = np.ones((1, 30))
        bumped[0, clip] += step
        moved = distances(first, second, np.asarray(bumped))[0] - frechet_distance(first.values, second.values)
        slope = first_order(first, second, np.asarray(bumped))[0] - frechet_distance(first.values, second.values)
        assert slope == pytest.approx(moved, rel=2e-2)


def test_a_set_is_at_no_distance_from_itself_in_any_resample():
    stats = [{"reference": x[None], "generated": x[None]} for x in X[:60]]
    counts = draw_sources(60, 20, np.random.default_rng(8))
    rows = Rows.of([stat["reference"] for stat in stats])
    assert np.abs(distances(rows, rows, counts)).max() < 1e-8
    assert np.abs(first_order(rows, rows, counts)).max() < 1e-8


def test_analytic_bias_is_what_independent_samples_show():
    width, n = 16, 400
    excess, predicted = [], []
    for seed in range(30):
        one, two = np.random.default_rng(seed).standard_normal((2, n, width))
        excess.append(frechet_distance(one, 2.0 * two))
        predicted.append(analytic_bias(Moments.of(one), Moments.of(2.0 * two)))
    true = width * (2.0 - 1.0) ** 2
    assert np.mean(excess) - true == pytest.approx(np.mean(predicted), abs=0.05 * true)
    assert np.mean(predicted) > 0.3
    assert np.isnan(analytic_bias(Moments.of(X[:5]), Moments.of(Y)))


def test_both_corrections_agree_on_independent_rows():
    one, two = np.random.default_rng(9).standard_normal((2, 600, 16))
    plain = frechet_distance(one, two)
    analytic = plain - analytic_bias(Moments.of(one), Moments.of(two))
    extrapolated = corrected_distance([(a[None], b[None]) for a, b in zip(one, two, strict=True)])
    assert abs(analytic) < 0.15 * plain
    assert abs(extrapolated) < 0.3 * plain
