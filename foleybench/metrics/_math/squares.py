"""Squared distances between rows, block by block, by matrix products.

Rows are centred first, so that a mean far from 0 costs no digits; between two sets with means far apart it costs some.
Within a set every pair of rows is computed once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.linalg import get_blas_funcs

from foleybench.clips import FloatArray

# Rows on either side of a block, at most: 2 MB of distances.
BLOCK = 512
# The distances within a set of so many rows are kept for a second pass: 32 MB. Of more rows they are computed again.
MOST_KEPT = 2560
_GEMM, _SYRK = get_blas_funcs(("gemm", "syrk"), dtype=np.float64)


class SquaresBlock(NamedTuple):
    """The squared distances between some rows and some others.

    Attributes:
        first: Rows of the first set.
        second: Rows of the second.
        squares: Shape (first, second); within a set, infinite where not ``first < second``.
    """

    first: slice
    second: slice
    squares: FloatArray


class Centred(NamedTuple):
    """Rows from which one point was subtracted.

    Attributes:
        values: Shape (n, d), float64.
        norms: Their squared lengths, shape (n,).
    """

    values: FloatArray
    norms: FloatArray

    @classmethod
    def of(cls, rows: FloatArray, centre: FloatArray) -> Centred:
        """Subtract a point (d,) from rows (n, d)."""
        values = np.subtract(rows, centre, order="C", dtype=np.float64)
        return cls(values, np.einsum("ij,ij->i", values, values))

    def within(self) -> Iterator[SquaresBlock]:
        """Yield the distances of the set, each pair of rows once."""
        parts = spans(len(self.values))
        for index, first in enumerate(parts):
            yield SquaresBlock(first, first, self._triangle(first))
            for second in parts[index + 1 :]:
                yield SquaresBlock(first, second, self._between(first, self, second))

    def across(self, other: Centred) -> Iterator[SquaresBlock]:
        """Yield the distances between two sets of one centre."""
        for first in spans(len(self.values)):
            for second in spans(len(other.values)):
                yield SquaresBlock(first, second, self._between(first, other, second))

    def _triangle(self, rows: slice) -> FloatArray:
        """Half the product of rows with themselves; the rest is infinite."""
        norms, values = self.norms[rows], self.values[rows]
        squares = np.add.outer(norms, norms)
        squares[np.tri(len(norms), dtype=bool)] = np.inf
        # In Fortran's order rows are columns, and the lower half is the upper one.
        _SYRK(-2.0, values.T, 1.0, squares.T, trans=1, lower=1, overwrite_c=1)
        np.fill_diagonal(squares, np.inf)
        return squares

    def _between(self, rows: slice, other: Centred, others: slice) -> FloatArray:
        squares = np.add.outer(self.norms[rows], other.norms[others])
        _GEMM(-2.0, other.values[others].T, self.values[rows].T, 1.0, squares.T, trans_a=1, overwrite_c=1)
        return squares


class WithinSet:
    """All distances within a set, for several passes: a small set's are computed once and kept.

    Attributes:
        rows: The rows.
        kept: Every block, or None when they are computed again at each pass.
    """

    def __init__(self, rows: Centred) -> None:
        """Compute the distances of a small set."""
        self.rows = rows
        self.kept = list(rows.within()) if len(rows.values) <= MOST_KEPT else None

    def __iter__(self) -> Iterator[SquaresBlock]:
        """Yield every block; a kept one is the same array each time, so only the last pass may write into it."""
        return self.rows.within() if self.kept is None else iter(self.kept)


def spans(n_rows: int) -> list[slice]:
    """Cut rows into as few blocks as may be, nearly equal ones."""
    edges = np.linspace(0, n_rows, -(-n_rows // BLOCK) + 1).round().astype(np.int64).tolist()
    return [slice(start, stop) for start, stop in itertools.pairwise(edges)]
