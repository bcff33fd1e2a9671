"""Correct p-values by Holm, and share ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Holm's step-down procedure, in the given order.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(np.argsort(np.asarray(p_values), kind="stable")):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def shared_ranks(
    n: int, gap: Callable[[int, int], float], p: Callable[[int, int], float | None], *, alpha: float = 0.05
) -> list[tuple[int, int]]:
    """Return each system's ranks as the (lowest, highest) place that it may hold.

    A system's best place is one after all significantly better systems, its worst place is before all significantly
    worse ones. Systems that are not significantly different overlap, and rank 1-3 reads "somewhere from 1 to 3". The
    paired test on common clips decides which of two is better, since each system's own value may cover other clips.

    Args:
        n: Number of systems.
        gap: (i, j) -> by how much system i is better than system j on their common clips; below 0 when it is worse.
        p: (i, j) -> p-value of the paired test, already corrected for the number of comparisons; None when unknown
            (the two then count as not significantly different).
        alpha: Level of the test.

    Example:
        >>> values = [0.9, 0.88, 0.2]
        >>> alike = {0, 1}
        >>> shared_ranks(3, lambda i, j: values[i] - values[j], lambda i, j: 0.5 if {i, j} == alike else 0.001)
        [(1, 2), (1, 2), (3, 3)]
    """
    ranks = []
    for i in range(n):
        told_apart = [j for j in range(n) if j != i and _below(p(i, j), alpha)]
        n_better = sum(gap(i, j) < 0 for j in told_apart)
        n_worse = sum(gap(i, j) > 0 for j in told_apart)
        ranks.append((1 + n_better, n - n_worse))
    return ranks


def _below(p_value: float | None, alpha: float) -> bool:
    return p_value is not None and p_value < alpha
