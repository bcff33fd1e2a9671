"""Multiply stacks of matrices with the same bits on every processor.

A matrix library sums in an order of its own for every processor, and for every number of threads. The published
corpus was rendered with OpenBLAS on a processor with AVX2, so its bytes hold the order of that library's kernel
(Haswell, Zen), which is repeated here. Every step is a product added with one rounding: a product of two float32 is
exact in float64.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray

Matrices = npt.NDArray[np.float32]
_ROWS, _PAIRED_ROWS, _PAIRED_COLUMNS = 12, 6, 8


def product(left: Matrices, right: Matrices) -> AudioArray:
    """Return ``left @ right``.

    The kernel takes rows by twelve and the rest by four. What it takes by four, and the outer columns of the first six
    of twelve, it sums in two halves, even and odd terms; all else in order.

    Args:
        left: Shape (E, n, K), float32.
        right: Shape (E, K, m), float32.

    Returns:
        Shape (E, n, m), float32.
    """
    n, m = left.shape[1], right.shape[2]
    whole = n - n % _ROWS
    fours = n - n % 4
    outer = np.r_[:_PAIRED_COLUMNS, m - _PAIRED_COLUMNS : m]
    first = np.flatnonzero(np.arange(whole) % _ROWS < _PAIRED_ROWS)
    out = _in_order(left, right)
    out[:, whole:fours] = _in_halves(left[:, whole:fours], right)
    out[:, first[:, None], outer] = _in_halves(left[:, first], right[:, :, outer])
    return out


def _in_order(left: Matrices, right: Matrices, terms: range | None = None) -> Matrices:
    total = np.zeros((len(left), left.shape[1], right.shape[2]), dtype=np.float32)
    return _added(total, left, right, range(left.shape[2]) if terms is None else terms)


def _in_halves(left: Matrices, right: Matrices) -> Matrices:
    """Sum even and odd terms apart, but those past the last multiple of eight, which follow the even ones."""
    n_terms = left.shape[2]
    paired = n_terms - n_terms % 8
    even = _added(_in_order(left, right, range(0, paired, 2)), left, right, range(paired, n_terms))
    return even + _in_order(left, right, range(1, paired, 2))


def _added(total: Matrices, left: Matrices, right: Matrices, terms: range) -> Matrices:
    for k in terms:
        exact = np.multiply(left[:, :, k, None], right[:, k, None, :], dtype=np.float64)
        np.add(total, exact, out=total, casting="same_kind")
    return total
