"""Fréchet distance between two sets of embeddings, in float64, without a general matrix square root.

``|m1 - m2|^2 + tr S1 + tr S2 - 2 tr sqrt(S1 S2)`` with the covariances of n - 1, as every peer defines it. The trace of
the root is the sum of the square roots of the eigenvalues of ``L' S2 L`` with ``S1 = L L'``; where a covariance is
singular (fewer rows than dimensions, dead units) it is the sum of the singular values of ``F1 F2'`` with ``S = F' F``,
which is exact where a matrix square root only has rounding noise. Nothing is added to a diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg

from foleybench.clips import FloatArray
from foleybench.errors import FoleyError
from foleybench.metrics._features import finite

# Below this ratio of eigenvalues the square root of the smallest ones is noise: take the way by singular values.
_SINGULAR = 1e-10
# Random halvings for the correction; each gives two halves.
_N_HALVINGS = 8

Pair = tuple[FloatArray, FloatArray]


def frechet_distance(first: FloatArray, second: FloatArray) -> float:
    """Return the Fréchet distance between the normal distributions fitted to two sets of rows.

    Args:
        first: Shape (n, d), n >= 2.
        second: Shape (m, d), m >= 2.

    Returns:
        The distance (squared, as all toolkits report it); 0 for equal sets. Rounding below 0 is cut to 0.

    Raises:
        FoleyError: A value is not finite, the widths differ, or a set has fewer than two rows.
    """
    first, second = finite(first, "the first set"), finite(second, "the second set")
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise FoleyError(f"sets of shapes {first.shape} and {second.shape} cannot be compared; wanted (n, d) twice.")
    if min(len(first), len(second)) < 2:
        raise FoleyError(f"sets of {len(first)} and {len(second)} rows have no covariance; at least 2 are needed.")
    gap = first.mean(axis=0) - second.mean(axis=0)
    one = (first - first.mean(axis=0)) / np.sqrt(len(first) - 1)
    two = (second - second.mean(axis=0)) / np.sqrt(len(second) - 1)
    spread = np.einsum("ij,ij->", one, one) + np.einsum("ij,ij->", two, two)
    return max(0.0, float(gap @ gap + spread - 2.0 * _trace_of_root(one, two)))


def corrected_distance(pairs: Sequence[Pair]) -> float:
    """Return the distance extrapolated to infinitely many clips.

    The bias of the distance falls as 1 / n, so twice the distance on all clips less the mean distance on halves of them
    is free of it to first order. Halves hold the same clips on both sides, so equal sets stay at 0. It is not cut at 0:
    around 0 it must fall on both sides. It takes clips for independent: where the generated sounds are the reference
    sounds of other clips of the set, as in two control rows, it subtracts too much.

    Args:
        pairs: For each clip the rows of both sets, shapes (n_i, d) and (m_i, d).

    Returns:
        The corrected distance; NaN when the halves are too small to have a covariance.

    Sources: Chong and Forsyth, "Effectively unbiased FID", CVPR 2020, with two sizes and no line fit.
    """
    pairs = in_fixed_order(pairs)
    half = len(pairs) // 2
    if half < 2:
        return float("nan")
    rng = np.random.default_rng(0)
    halves = []
    for _ in range(_N_HALVINGS):
        order = rng.permutation(len(pairs))
        for chosen in (order[:half], order[half : 2 * half]):
            halves.append(distance_of([pairs[i] for i in chosen]))
    share = half / len(pairs)
    return (distance_of(pairs) - share * float(np.mean(halves))) / (1.0 - share)


def distance_of(pairs: Sequence[Pair]) -> float:
    """Return the distance between all rows of the first and of the second set; NaN for fewer than two clips."""
    if len(pairs) < 2:
        return float("nan")
    pairs = in_fixed_order(pairs)
    return frechet_distance(np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs]))


def in_fixed_order(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the clips sorted by their values, so that their order cannot change the last bit of a sum."""
    return sorted(pairs, key=lambda pair: (pair[0].tobytes(), pair[1].tobytes()))


def _trace_of_root(one: FloatArray, two: FloatArray) -> float:
    """Trace of sqrt(S1 S2) for S = F' F, from the centred, scaled rows F."""
    n_dims = one.shape[1]
    if min(len(one), len(two)) > n_dims:
        try:
            lower = scipy.linalg.cholesky(one.T @ one, lower=True, check_finite=False)
        except scipy.linalg.LinAlgError:
            return _nuclear_norm(one, two)
        values = np.linalg.eigvalsh(lower.T @ (two.T @ two) @ lower)
        if values[0] > _SINGULAR * values[-1]:
            return float(np.sqrt(values).sum())
    return _nuclear_norm(one, two)


def _nuclear_norm(one: FloatArray, two: FloatArray) -> float:
    """Sum of the singular values of F1 F2', with tall factors first reduced to triangles."""
    return float(np.linalg.svd(_reduced(one) @ _reduced(two).T, compute_uv=False).sum())


def _reduced(rows: FloatArray) -> FloatArray:
    """Return a factor of the same covariance with no more rows than columns."""
    if len(rows) <= rows.shape[1]:
        return rows
    triangle = scipy.linalg.qr(rows, mode="r", check_finite=False)[0]
    return np.asarray(triangle[: rows.shape[1]], dtype=np.float64)
