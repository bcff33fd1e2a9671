"""Compute every clip's first-order influence on a Fréchet distance.

Influence is the first-order change of the distance with the weight of each clip (the infinitesimal jackknife), for any
number of rows and dimensions alike. Drawing clips anew would give intervals 1.3 to 2.4 times too wide where there are
fewer than two rows a dimension, and costs a distance a draw; ``benchmarks/coverage.py`` measures this way.

Sources: infinitesimal jackknife, Jaeckel 1972; Efron and Tibshirani 1993, chapter 22.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from foleybench.clips import FloatArray
from foleybench.metrics._math.frechet import SINGULAR, centred
from foleybench.metrics._math.rows import Rows
from foleybench.stats.influence import Influence

# Below this ratio of eigenvalues a squared singular value is rounding.
_NOISE = 1e-13


def influence(first: Rows, second: Rows) -> Influence:
    """Return the influence of every clip on the distance of two sets of rows.

    With F the centred rows over ``sqrt(n - 1)`` and ``U s V'`` the singular values of ``F1 F2'``, the trace of the root
    changes with the weight of row i of the first set by half the i-th diagonal value of ``U s U'``, and with that of
    the second set by half that of ``V s V'``.

    Args:
        first: Rows of the first set.
        second: Rows of the second set, of the same clips.

    Returns:
        The influence of each clip; a clip's share in the value is its share in the rows of both sets.
    """
    (first_mean, one), (second_mean, two) = centred(first.values), centred(second.values)
    gap = first_mean - second_mean
    shares = _root_shares(one, two)
    change = np.zeros(len(first.sizes))
    for rows, factor, share, sign in ((first, one, shares[0], 1.0), (second, two, shares[1], -1.0)):
        n = len(rows.values)
        part = np.einsum("ij,ij->i", factor, factor) + 2.0 * sign * (factor @ gap) * np.sqrt(n - 1) / n - share
        # The spread is over n - 1, and a clip's rows change that too.
        spread = (float(np.einsum("ij,ij->", factor, factor)) - float(share.sum())) / (n - 1)
        change += rows.per_clip(part - spread)
    weights = (first.sizes / len(first.values) + second.sizes / len(second.values)) / 2.0
    return Influence(change - weights * change.sum(), weights)


def _root_shares(one: FloatArray, two: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the diagonals of ``U s U'`` and ``V s V'``, shapes (n,) and (m,)."""
    found = _regular_shares(one, two)
    if found is not None:
        return found
    (first_basis, first), (second_basis, second) = _reduced(one), _reduced(two)
    # By eigenvectors, at two thirds of the cost of singular vectors. The smallest are noise, and hardly count.
    product = first @ second.T
    values, left = np.linalg.eigh(product @ product.T)
    kept = values > _NOISE * values[-1]
    root, left = np.sqrt(values[kept]), left[:, kept]
    right = product.T @ left
    return np.square(first_basis @ left) @ root, np.square(second_basis @ right) @ (1.0 / root)


def _reduced(factor: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return orthonormal columns Q and R with ``F = Q R``, R with no more rows than columns."""
    if len(factor) <= factor.shape[1]:
        return np.eye(len(factor)), factor
    basis, triangle = np.linalg.qr(factor)
    return basis, triangle


def _regular_shares(one: FloatArray, two: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return both diagonals from one decomposition as wide as the rows; None where a covariance is singular.

    With ``S2 = L L'`` and ``L' S1 L = Q l Q'``: ``U s U' = F1 L Q l^(-1/2) Q' L' F1'``, and, as the columns of
    ``W = F2 L^(-T)`` are orthonormal, ``V s V' = W Q l^(1/2) Q' W'``.
    """
    if min(len(one), len(two)) <= one.shape[1]:  # singular for sure: the mean has taken a row
        return None
    try:
        lower = scipy.linalg.cholesky(two.T @ two, lower=True, check_finite=False)
    except scipy.linalg.LinAlgError:
        return None
    product = one @ lower
    values, vectors = np.linalg.eigh(product.T @ product)
    if values[0] <= SINGULAR * values[-1]:
        return None
    root = np.sqrt(values)
    turned = scipy.linalg.solve_triangular(lower, vectors, trans=1, lower=True, check_finite=False)
    return np.square(product @ vectors) @ (1.0 / root), np.square(two @ turned) @ root
