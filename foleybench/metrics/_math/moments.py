"""Compute mean and covariance of embeddings from rows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy.typing as npt

from foleybench.clips import FloatArray
from foleybench.errors import FoleyError
from foleybench.metrics._math.finite import finite


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """The moments of a set of rows that a Fréchet distance needs.

    Attributes:
        n: Number of rows.
        mean: Shape (d,), float64.
        scatter: Sum over rows of the outer product of a row's deviation with itself, shape (d, d), float64.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[0.0, 1.0], [2.0, 5.0], [4.0, 0.0]])
        >>> found = Moments.of(rows)
        >>> found.n, bool(np.allclose(found.covariance, np.cov(rows.T)))
        (3.0, True)
    """

    n: float
    mean: FloatArray
    scatter: FloatArray

    @classmethod
    def of(cls, rows: npt.NDArray[Any]) -> Moments:
        """Return the moments of rows.

        Args:
            rows: Shape (n, d), n >= 1.

        Raises:
            FoleyError: A value is not finite, or the shape is not (n, d).
        """
        rows = finite(rows, "a set of embeddings")
        if rows.ndim != 2 or not len(rows):
            raise FoleyError(f"a set of shape {rows.shape} has no moments; wanted (n, d) with at least one row.")
        mean = rows.mean(axis=0)
        deviations = rows - mean
        return cls(n=float(len(rows)), mean=mean, scatter=deviations.T @ deviations)

    @property
    def covariance(self) -> FloatArray:
        """The unbiased covariance, shape (d, d).

        Raises:
            FoleyError: There are fewer than two rows.
        """
        if self.n < 2:
            raise FoleyError(f"a set of {self.n:g} rows has no covariance; at least 2 are needed.")
        return self.scatter / (self.n - 1)
