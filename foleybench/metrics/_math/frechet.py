"""Compute the Fréchet distance between two sets of embeddings, in float64.

``|m1 - m2|^2 + tr S1 + tr S2 - 2 tr sqrt(S1 S2)`` with the covariances of n - 1, as every peer defines it. The trace of
the root is the sum of the square roots of the eigenvalues of ``L' S1 L`` with ``S2 = L L'`` (a symmetric problem, by
LAPACK's ``sygst`` and ``sterf``); where a covariance is singular (fewer rows than dimensions, dead units) it is the sum
of the singular values of ``F1 F2'`` with ``S = F' F``, which is exact where a matrix square root only has rounding
noise. Nothing is added to a diagonal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

from foleybench.clips import FloatArray
from foleybench.errors import FoleyError
from foleybench.metrics._math.finite import finite
from foleybench.metrics._math.moments import Moments

# Below this ratio of eigenvalues the square roots of the smallest are noise: singular values are used instead.
SINGULAR = 1e-10


def frechet_distance(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """Return the Fréchet distance between the normal distributions fitted to two sets of rows.

    Args:
        first: Shape (n, d), n >= 2.
        second: Shape (m, d), m >= 2.

    Returns:
        The distance (squared, as all toolkits report it); 0 for equal sets. Rounding below 0 is cut to 0.

    Raises:
        FoleyError: A value is not finite, the widths differ, or a set has fewer than two rows.

    Example:
        >>> frechet_distance(np.array([[-1.0], [1.0]]), np.array([[1.0], [5.0]]))
        11.0
    """
    first, second = finite(first, "the first set"), finite(second, "the second set")
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise FoleyError(f"sets of shapes {first.shape} and {second.shape} cannot be compared; wanted (n, d) twice.")
    if min(len(first), len(second)) < 2:
        raise FoleyError(f"sets of {len(first)} and {len(second)} rows have no covariance; at least 2 are needed.")
    if min(len(first), len(second)) > first.shape[1]:
        one, two = Moments.of(first), Moments.of(second)
        found = roots_of_product(one.covariance, two.covariance)
        if found is not None:
            return _assembled(one.mean - two.mean, np.trace(one.covariance) + np.trace(two.covariance), found.sum())
    return distance_of_factors(first, second)


def distance_of_moments(one: Moments, two: Moments) -> float:
    """Return the Fréchet distance between two sets of which only the moments are known.

    Raises:
        FoleyError: The widths differ, or a set has fewer than two rows.
    """
    if one.mean.shape != two.mean.shape:
        raise FoleyError(f"sets of widths {len(one.mean)} and {len(two.mean)} cannot be compared.")
    return distance_of_normals(one.mean, one.covariance, two.mean, two.covariance)


def distance_of_normals(
    first_mean: FloatArray, first: FloatArray, second_mean: FloatArray, second: FloatArray
) -> float:
    """Return the Fréchet distance between two normal distributions.

    Args:
        first_mean: Shape (d,).
        first: Covariance, shape (d, d), symmetric.
        second_mean: Shape (d,).
        second: Covariance, shape (d, d), symmetric.
    """
    found = roots_of_product(first, second)
    if found is None:
        found = np.asarray(scipy.linalg.svdvals(_factor(first) @ _factor(second).T), dtype=np.float64)
    return _assembled(first_mean - second_mean, np.trace(first) + np.trace(second), found.sum())


def roots_of_product(first: FloatArray, second: FloatArray) -> FloatArray | None:
    """Return the square roots of the eigenvalues of ``first @ second``, ascending, or None where one is singular.

    Args:
        first: Covariance, shape (d, d), symmetric.
        second: The same.
    """
    try:
        values: Any = scipy.linalg.eigh(first, second, type=2, driver="gv", eigvals_only=True, check_finite=False)
    except scipy.linalg.LinAlgError:
        return None
    return np.asarray(np.sqrt(values), dtype=np.float64) if values[0] > SINGULAR * values[-1] else None


def analytic_bias(one: Moments, two: Moments) -> float:
    """Return the first-order bias of the distance between two independent samples of two distributions.

    ``tr S1 / n + tr S2 / m + (1/n + 1/m) / 2 * (sum over i, j of r_i r_j / (r_i + r_j), with r_i for i = j)``, where r
    are the square roots of the eigenvalues of ``S1 S2``: the second-order term of the trace of the root under the
    sampling noise of normal covariances. It holds for independent rows, independent sets and many more rows than
    dimensions; frames of one clip are not independent, and generated and real audio of the same clips are not
    independent sets, so results use the extrapolated correction and this one is for those who have only moments.

    Returns:
        The bias; NaN where a covariance is singular.
    """
    roots = roots_of_product(one.covariance, two.covariance)
    if roots is None:
        return float("nan")
    off = np.multiply.outer(roots, roots) / np.add.outer(roots, roots)
    curvature = float(off.sum() - np.trace(off) + roots.sum())
    means = float(np.trace(one.covariance)) / one.n + float(np.trace(two.covariance)) / two.n
    return means + 0.5 * (1 / one.n + 1 / two.n) * curvature


def centred(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean of rows and a factor F of their covariance, ``S = F' F``, with one row for each of them."""
    mean = rows.mean(axis=0)
    return mean, (rows - mean) / np.sqrt(len(rows) - 1)


def distance_of_factors(first: FloatArray, second: FloatArray) -> float:
    """Return the distance by singular values, which needs no regular covariance.

    Args:
        first: Shape (n, d), finite.
        second: Shape (m, d), finite.
    """
    first_mean, one = centred(first)
    second_mean, two = centred(second)
    root = float(np.sum(scipy.linalg.svdvals(reduced(one) @ reduced(two).T, check_finite=False)))
    spread = np.einsum("ij,ij->", one, one) + np.einsum("ij,ij->", two, two)
    return _assembled(first_mean - second_mean, spread, root)


def reduced(factor: FloatArray) -> FloatArray:
    """Return a factor of the same covariance with no more rows than columns."""
    if len(factor) <= factor.shape[1]:
        return factor
    triangle = scipy.linalg.qr(factor, mode="r", check_finite=False)[0]
    return np.asarray(triangle[: factor.shape[1]], dtype=np.float64)


def _assembled(gap: FloatArray, spread: float, root: float) -> float:
    return max(0.0, float(gap @ gap + spread - 2.0 * root))


def _factor(covariance: FloatArray) -> FloatArray:
    """Return F with ``covariance = F' F`` for a singular covariance; eigenvalues below rounding are taken for 0."""
    values, vectors = scipy.linalg.eigh(covariance, check_finite=False)
    floor = values[-1] * len(values) * np.finfo(np.float64).eps
    kept = values > max(floor, 0.0)
    return np.asarray((vectors[:, kept] * np.sqrt(values[kept])).T, dtype=np.float64)
