"""Mean and covariance of embeddings as one mergeable record: the number of rows, their mean, and their scatter.

Two records merge into what all rows together would give, so shards, processes and classes can be counted apart and put
together, and a part can be taken out again (leave one out). The update is that of Chan, Golub and LeVeque, which stays
exact where sums of squares would cancel.

Sources: Chan, Golub and LeVeque, "Algorithms for computing the sample variance", The American Statistician 37(3), 1983.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.clips import FloatArray
from foleybench.errors import FoleyError
from foleybench.metrics._families.features import finite


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """What a Fréchet distance needs to know of a set of rows.

    Attributes:
        n: Number of rows (the sum of their weights).
        mean: Shape (d,), float64.
        scatter: Sum over rows of the outer product of a row's deviation with itself, shape (d, d), float64.

    Example:
        >>> rows = np.array([[0.0, 1.0], [2.0, 5.0], [4.0, 0.0]])
        >>> whole = Moments.of(rows)
        >>> parts = Moments.of(rows[:1]).merge(Moments.of(rows[1:]))
        >>> bool(np.allclose(whole.covariance, parts.covariance)), parts.n
        (True, 3.0)
    """

    n: float
    mean: FloatArray
    scatter: FloatArray

    @classmethod
    def of(cls, rows: npt.NDArray[Any], weights: FloatArray | None = None) -> Moments:
        """Return the moments of rows.

        Args:
            rows: Shape (n, d), n >= 1.
            weights: How often each row counts, shape (n,); once each without.

        Raises:
            FoleyError: A value is not finite, or the shape is another.
        """
        rows = finite(rows, "a set of embeddings")
        if rows.ndim != 2 or not len(rows):
            raise FoleyError(f"a set of shape {rows.shape} has no moments; wanted (n, d) with at least one row.")
        if weights is None:
            mean = rows.mean(axis=0)
            deviations = rows - mean
            return cls(n=float(len(rows)), mean=mean, scatter=deviations.T @ deviations)
        kept = weights > 0
        rows, weights = rows[kept], weights[kept]
        total = float(weights.sum())
        mean = weights @ rows / total
        deviations = (rows - mean) * np.sqrt(weights)[:, None]
        return cls(n=total, mean=mean, scatter=deviations.T @ deviations)

    @property
    def covariance(self) -> FloatArray:
        """The unbiased covariance, shape (d, d).

        Raises:
            FoleyError: There are fewer than two rows.
        """
        if self.n < 2:
            raise FoleyError(f"a set of {self.n:g} rows has no covariance; at least 2 are needed.")
        return self.scatter / (self.n - 1)

    def merge(self, other: Moments) -> Moments:
        """Return the moments of the rows of both.

        Raises:
            FoleyError: The widths differ.
        """
        return self._combined(other, 1.0)

    def without(self, other: Moments) -> Moments:
        """Return the moments of this set's rows less those of ``other``, which must be among them.

        Raises:
            FoleyError: The widths differ, or nothing would be left.
        """
        if other.n >= self.n:
            raise FoleyError(f"{other.n:g} rows cannot be taken out of {self.n:g}; at least one must be left.")
        return self._combined(other, -1.0)

    def _combined(self, other: Moments, sign: float) -> Moments:
        if self.mean.shape != other.mean.shape:
            raise FoleyError(f"moments of widths {len(self.mean)} and {len(other.mean)} cannot be put together.")
        n = self.n + sign * other.n
        gap = other.mean - self.mean
        return Moments(
            n=n,
            mean=self.mean + gap * (sign * other.n / n),
            scatter=self.scatter + sign * (other.scatter + np.outer(gap, gap) * (self.n * other.n / n)),
        )


def merged(parts: Iterable[Moments]) -> Moments:
    """Return the moments of all parts' rows.

    Raises:
        TypeError: There is no part.
    """
    return functools.reduce(Moments.merge, parts)
