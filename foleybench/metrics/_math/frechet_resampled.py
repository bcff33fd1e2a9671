"""Fréchet distances of many bootstrap resamples of two sets of embeddings.

A resample says how often each clip counts, so its means and second moments are weighted sums. Three ways, by cost:

- many rows, few dimensions: the second moments of every clip are laid side by side, and one matrix product gives those
  of all resamples;
- else one resample at a time, by weighted moments, or by singular values where there are hardly more rows than
  dimensions;
- where that would take minutes (``BUDGET``): the first-order change of the distance with the weights (the infinitesimal
  jackknife), a number a clip, so that a resample is a sum. It leaves out the resampling bias, which the intervals of
  distances take away anyway. ``benchmarks/coverage.py`` measures both.

Sources: infinitesimal jackknife, Jaeckel 1972; Efron and Tibshirani 1993, chapter 22.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import scipy.linalg

from foleybench.clips import FloatArray
from foleybench.metrics._math.frechet import (
    SINGULAR,
    centred,
    distance_of_factors,
    distance_of_moments,
    distance_of_normals,
    frechet_distance,
)
from foleybench.metrics._math.moments import Moments
from foleybench.metrics._math.rows import Rows

# Multiply-adds that exact resampling may take in all: about a minute of one core.
BUDGET = 3e12
# Above this width the second moments of all resamples no longer fit in memory side by side.
_WIDE = 256
# Numbers held at a time in the product of counts and second moments.
_BLOCK = 8_000_000
# Fewer rows than this many times the width give resamples with (nearly) singular covariances.
_THIN = 2
# Multiply-adds of an eigenvalue or singular value problem, in units of its size cubed, as measured.
_EIGEN, _SINGULAR_VALUES = 8, 24

Ints = npt.NDArray[np.int64]


def distances(first: Rows, second: Rows, counts: Ints, budget: float = BUDGET) -> FloatArray:
    """Return the distance of every resample.

    Args:
        first: Rows of the first set.
        second: Rows of the second set, of the same clips.
        counts: How often each clip occurs in each resample, shape (resamples, clips).
        budget: Multiply-adds for exact resampling; above it the first-order way is taken.

    Returns:
        Shape (resamples,); NaN for a resample with fewer than two rows in a set.
    """
    thin = min(len(first.values), len(second.values)) < _THIN * first.width
    cost = _cost_thin(first, second) if thin else _cost_of_moments(first, second)
    if cost * len(counts) > budget:
        return first_order(first, second, counts)
    if thin or first.width > _WIDE:
        return np.array([_one(first, second, row, thin=thin) for row in counts])
    return np.array(list(_together(first, second, counts)))


def first_order(first: Rows, second: Rows, counts: Ints) -> FloatArray:
    """Return the distances of resamples to first order in the weights.

    With F the centred rows over ``sqrt(n - 1)`` and ``U s V'`` the singular values of ``F1 F2'``, the trace of the root
    changes with the weight of row i of the first set by half the i-th diagonal value of ``U s U'``, and with that of
    the second set by half that of ``V s V'``.
    """
    (first_mean, one), (second_mean, two) = centred(first.values), centred(second.values)
    gap = first_mean - second_mean
    shares = _root_shares(one, two)
    influence = np.zeros(counts.shape[1])
    for rows, factor, share, sign in ((first, one, shares[0], 1.0), (second, two, shares[1], -1.0)):
        n = len(rows.values)
        change = np.einsum("ij,ij->i", factor, factor) + 2.0 * sign * (factor @ gap) * np.sqrt(n - 1) / n - share
        spread = (float(np.einsum("ij,ij->", factor, factor)) - float(share.sum())) / (n - 1)
        influence += rows.per_clip(change - spread)
    value = frechet_distance(first.values, second.values)
    return np.asarray(value + (counts - 1) @ influence, dtype=np.float64)


def _root_shares(one: FloatArray, two: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the diagonals of ``U s U'`` and ``V s V'``, shapes (n,) and (m,)."""
    first, second = _share(one, two), _share(two, one)
    if first is not None and second is not None:
        return first, second
    left, values, right = scipy.linalg.svd(one @ two.T, full_matrices=False, check_finite=False)
    return np.square(left) @ values, np.square(right.T) @ values


def _share(one: FloatArray, two: FloatArray) -> FloatArray | None:
    """Return the diagonal of ``(F1 S2 F1')^(1/2)`` by ``B (B'B)^(-1/2) B'`` with ``B = F1 L``; None where singular."""
    try:
        lower = scipy.linalg.cholesky(two.T @ two, lower=True, check_finite=False)
    except scipy.linalg.LinAlgError:
        return None
    product = one @ lower
    values, vectors = np.linalg.eigh(product.T @ product)
    if values[0] <= SINGULAR * values[-1]:
        return None
    turned = product @ vectors
    return np.asarray(np.square(turned) @ (1.0 / np.sqrt(values)), dtype=np.float64)


def _cost_thin(first: Rows, second: Rows) -> float:
    sizes = [min(0.64 * len(rows.values), rows.width) for rows in (first, second)]
    return sizes[0] * sizes[1] * (first.width + _SINGULAR_VALUES * min(sizes))


def _cost_of_moments(first: Rows, second: Rows) -> float:
    grouped = first.width <= _WIDE
    n_terms = sum(len(rows.starts) if grouped else len(rows.values) for rows in (first, second))
    return first.width**2 * (n_terms / 2 + _EIGEN * first.width)


def _one(first: Rows, second: Rows, counts: Ints, *, thin: bool) -> float:
    weights = first.weights(counts), second.weights(counts)
    if min(weights[0].sum(), weights[1].sum()) < 2:
        return float("nan")
    if thin:
        return distance_of_factors(first.values, second.values, weights)
    return distance_of_moments(Moments.of(first.values, weights[0]), Moments.of(second.values, weights[1]))


def _together(first: Rows, second: Rows, counts: Ints) -> Iterator[float]:
    """Yield the distance of each resample, their moments made by one matrix product a set."""
    for start in range(0, len(counts), max(1, _BLOCK // first.width**2)):
        some = counts[start : start + max(1, _BLOCK // first.width**2)]
        moments = zip(_moments(first, some), _moments(second, some), strict=True)
        for (n, first_mean, one), (m, second_mean, two) in moments:
            defined = min(n, m) >= 2
            yield distance_of_normals(first_mean, one, second_mean, two) if defined else float("nan")


def _moments(rows: Rows, counts: Ints) -> Iterator[tuple[float, FloatArray, FloatArray]]:
    """Yield number of rows, mean and covariance of each resample."""
    width, n_clips = rows.width, len(rows.starts) - 1
    centre = rows.values.mean(axis=0)  # Deviations from the overall mean: nothing large cancels below.
    upper = np.triu_indices(width)
    totals = counts @ rows.sizes.astype(np.float64)
    sums, squares = np.zeros((len(counts), width)), np.zeros((len(counts), len(upper[0])))
    step = max(1, _BLOCK // len(upper[0]))
    for start in range(0, n_clips, step):
        stop = min(n_clips, start + step)
        clips = [rows.values[rows.starts[c] : rows.starts[c + 1]] - centre for c in range(start, stop)]
        weights = counts[:, start:stop].astype(np.float64)
        sums += weights @ np.array([clip.sum(axis=0) for clip in clips])
        squares += weights @ np.array([(clip.T @ clip)[upper] for clip in clips])
    for total, column, square in zip(totals, sums, squares, strict=True):
        if total < 2:
            yield total, centre, np.eye(width)
            continue
        mean = column / total
        second = np.empty((width, width))
        second[upper] = square
        second.T[upper] = square
        yield total, mean + centre, (second - total * np.outer(mean, mean)) / (total - 1)
