"""Fit ridge regression on standardised columns, rows in parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import torch
from torch import Tensor

# Of levels of grey or logarithms a smaller deviation than this counts as none.
_LEAST_SPREAD = 0.01


@dataclasses.dataclass(frozen=True)
class Ridge:
    """A linear map.

    Attributes:
        centre: Mean of the columns, shape (d,).
        spread: Deviation of the columns, shape (d,).
        mean: Mean of the targets, shape (k,).
        weights: Shape (d, k).
    """

    centre: Tensor
    spread: Tensor
    mean: Tensor
    weights: Tensor

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the targets of rows (n, d), shape (n, k)."""
        return ((rows - self.centre) / self.spread) @ self.weights + self.mean


def fit_ridge(parts: Iterable[tuple[Tensor, Tensor]], penalty: float, *, least_spread: float = _LEAST_SPREAD) -> Ridge:
    """Fit a ridge.

    Args:
        parts: Rows (n, d) and targets (n, k), a part at a time; only their sums are kept.
        penalty: Added to the diagonal of the correlation matrix: 0.01 is little, 1 is much.
        least_spread: A column with a smaller deviation counts as having this one.
    """
    n, near = 0, torch.zeros(1)
    sum_x = sum_y = sum_xx = sum_xy = torch.zeros(1, dtype=torch.float64)
    for x, y in parts:
        # Sums around a row near the mean: around zero, columns that hardly vary would drown in rounding.
        near = near if n else x.mean(0)
        rows, targets = (x - near).double(), y.double()
        n += len(rows)
        sum_x, sum_y = sum_x + rows.sum(0), sum_y + targets.sum(0)
        # The large product in single precision, which is exact enough then and twice as fast.
        single = rows.float()
        sum_xx, sum_xy = sum_xx + (single.T @ single).double(), sum_xy + rows.T @ targets
    off, mean = sum_x / n, sum_y / n
    covariance = sum_xx / n - torch.outer(off, off)
    spread = covariance.diagonal().clamp_min(least_spread**2).sqrt()
    correlation = covariance / torch.outer(spread, spread)
    right = (sum_xy / n - torch.outer(off, mean)) / spread[:, None]
    weights = torch.linalg.solve(correlation + penalty * torch.eye(len(off), dtype=torch.float64), right)
    return Ridge((off + near.double()).float(), spread.float(), mean.float(), weights.float())
