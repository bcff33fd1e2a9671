"""Tell how rows that sample the same networks vary between seeds.

One network with several numbers of steps: its luck is in all rows, and cancels where two of them are compared. What
does not cancel is too little to be told from two or three seeds of one pair, which can lie close together by luck.
So each row's variance is taken of what is left when the mean over rows has been removed from every seed, and all rows
tell a law towards which that of a pair is drawn (``stats.moderated``). How often that errs:
``benchmarks/results/seed_errors.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.clips import FloatArray
from foleybench.reproduce.measure import Measured, seed_values
from foleybench.stats.moderated import CommonLaw, Variance, common_law


def law_within_networks(name: str, rows: Sequence[Measured]) -> CommonLaw | None:
    """Return the law of the variance between seeds of rows of the same networks, the luck of those removed.

    Args:
        name: The metric.
        rows: The rows, of the same seeds and clips.

    Returns:
        None with one seed, or with fewer rows than a law is told by.
    """
    return law_of_residuals(np.stack([seed_values(name, row) for row in rows]))


def law_of_residuals(by_seed: FloatArray) -> CommonLaw | None:
    """Return the law of the variance between seeds of rows, less what a seed has in all of them.

    Args:
        by_seed: Values, shape (rows, seeds).
    """
    n_rows, n_seeds = by_seed.shape
    if n_rows < 2 or n_seeds < 2 or not np.isfinite(by_seed).all():
        return None
    left = by_seed - by_seed.mean(axis=0)
    share = 1 - 1 / n_rows  # of the variance and of the degrees of freedom that the mean over rows leaves
    return common_law([Variance(float(row.var(ddof=1)) / share, (n_seeds - 1) * share) for row in left])
