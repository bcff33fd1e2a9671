"""Moments, how the distance rests on every clip, and its biases."""

import numpy as np
import pytest
import scipy.linalg

from foleybench.errors import FoleyError
from foleybench.metrics._math.distances import FrechetPool, corrected_distance
from foleybench.metrics._math.frechet import analytic_bias, centred, distance_of_moments, frechet_distance
from foleybench.metrics._math.frechet_influence import _root_shares
from foleybench.metrics._math.moments import Moments

X = np.random.default_rng(1).standard_normal((300, 12)) * np.linspace(0.2, 3.0, 12) + 5.0
Y = np.random.default_rng(2).standard_normal((260, 12)) + 5.5


def test_covariance_is_the_textbook_one_even_far_from_zero():
    np.testing.assert_allclose(Moments.of(X).covariance, np.cov(X, rowvar=False), rtol=1e-12)
    np.testing.assert_allclose(Moments.of(X + 1e6).covariance, np.cov(X, rowvar=False), rtol=1e-5, atol=1e-8)


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


def spread_and_influence(n, width, seed):
    """The distance of one set of n independent clips, and the standard error that its influence says."""
    draw = np.random.default_rng([seed, n, width])
    reference, generated = draw.normal(size=(n, width)), 0.3 + 1.4 * draw.normal(size=(n, width))
    rows = [{"reference": a[None], "generated": b[None]} for a, b in zip(reference, generated, strict=True)]
    found = FrechetPool().influence(rows)
    return FrechetPool()(rows), np.sqrt(np.sum(found.change**2) * n / (n - 1))


@pytest.mark.parametrize(("n", "width", "most"), [(60, 120, 1.15), (50, 200, 1.35), (90, 45, 1.2), (200, 8, 1.1)])
def test_standard_error_is_the_true_one_with_few_rows_and_with_many(n, width, most):
    """Drawing clips anew gives 1.3 to 2.4 times the true one where there are fewer than two rows a dimension."""
    values, errors = np.transpose([spread_and_influence(n, width, seed) for seed in range(60)])
    assert 0.8 <= errors.mean() / values.std(ddof=1) <= most * 1.2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "width", "most"),
    [
        (200, 400, 1.1),
        (150, 600, 1.3),
        # Known: near two rows a dimension the error is 1.28 times the true one, so intervals are too wide by that.
        pytest.param(300, 150, 1.15, marks=pytest.mark.xfail(reason="1.28 times the true one; at most 1.27 wanted")),
    ],
)
def test_standard_error_of_larger_sets_is_the_true_one(n, width, most):
    values, errors = np.transpose([spread_and_influence(n, width, seed) for seed in range(150)])
    assert 0.88 <= errors.mean() / values.std(ddof=1) <= most * 1.1


def weighted_distance(stats, weights):
    """The distance when clips count so often, by weighted moments and a general matrix root."""
    moments = []
    for side in ("reference", "generated"):
        rows = np.concatenate([stat[side] for stat in stats])
        each = np.repeat(weights, [len(stat[side]) for stat in stats])
        mean = each @ rows / each.sum()
        moments.append((mean, (rows - mean).T @ ((rows - mean) * each[:, None]) / (each.sum() - 1)))
    (one, first), (two, second) = moments
    root = np.sqrt(np.maximum(np.linalg.eigvals(first @ second).real, 0.0)).sum()
    return (one - two) @ (one - two) + np.trace(first) + np.trace(second) - 2 * root


@pytest.mark.parametrize("width", [5, 20])
def test_influence_is_the_derivative(width):
    """One clip a little heavier and all others a little lighter, by hand."""
    stats = clips(30, width, seed=7)
    for index in range(0, 30, 2):  # fewer generated rows than reference rows in some clips
        stats[index]["generated"] = stats[index]["generated"][:1]
    found = FrechetPool().influence(stats)
    for clip in (0, 11):
        moved = []
        for step in (1e-4, -1e-4):
            weights = np.ones(30)
            weights[clip] += step
            moved.append(weighted_distance(stats, weights))
        slope = (moved[0] - moved[1]) / 2e-4
        # Weights that all grow alike change the distance a little, by n - 1: the influence leaves that out.
        grown = (weighted_distance(stats, np.full(30, 1.0001)) - weighted_distance(stats, np.full(30, 0.9999))) / 2e-4
        assert found.change[clip] == pytest.approx(slope - found.weights[clip] * grown, rel=1e-3, abs=1e-5)


def test_influence_where_covariances_are_singular():
    """Twenty rows in sixty dimensions, against leaving each clip out."""
    stats = clips(20, 60, rows=1, seed=3)
    plain = FrechetPool().influence(stats)
    assert plain.change.sum() == pytest.approx(0.0, abs=1e-10)
    without = [FrechetPool()(stats[:i] + stats[i + 1 :]) for i in range(20)]
    jackknife = (FrechetPool()(stats) - np.array(without)) * 19 / 20
    assert np.corrcoef(plain.change, jackknife)[0, 1] > 0.9


@pytest.mark.parametrize("width", [8, 40])
def test_units_that_never_change_have_no_influence_however_many_rows_there_are(width):
    """The same with columns of zeros, which make both covariances singular, as dead units of a network do."""
    stats = clips(3000, width, rows=1, seed=4)
    dead = [{side: np.pad(rows, ((0, 0), (0, 5))) for side, rows in stat.items()} for stat in stats]
    plain, padded = FrechetPool().influence(stats), FrechetPool().influence(dead)
    np.testing.assert_allclose(padded.change, plain.change, atol=1e-9 * np.abs(plain.change).max())


def test_shares_of_covariances_of_other_axes_are_those_of_singular_vectors():
    draw = np.random.default_rng(9)
    scale = np.exp(-np.arange(12.0) / 3)
    one, two = (centred(draw.normal(size=(60, 12)) * by)[1] for by in (scale, scale[::-1]))
    left, values, right = scipy.linalg.svd(one @ two.T, full_matrices=False)
    for found, wanted in zip(_root_shares(one, two), (left**2 @ values, right.T**2 @ values), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-9 * wanted.max())


def test_a_set_is_at_no_distance_from_itself_whatever_its_clips_weigh():
    stats = [{"reference": x[None], "generated": x[None]} for x in X[:60]]
    assert np.abs(FrechetPool().influence(stats).change).max() < 1e-8


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
    extrapolated = corrected_distance([(a[None], b[None]) for a, b in zip(one, two, strict=True)], range(600))
    assert abs(analytic) < 0.15 * plain
    assert abs(extrapolated) < 0.3 * plain
