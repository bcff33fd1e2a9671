"""Tell how rows that sample the same networks vary between seeds.

One network with several numbers of steps: its luck is in all rows, and cancels where two of them are compared. What
does not cancel is too little to be told from two or three seeds of one pair, which can lie close together by luck. So
the variance of a pair is drawn towards a law (``stats.moderated``) that all rows tell, in two ways: by what is left of
each row when the mean over rows has been removed from every seed, and by the differences from the row that all are
compared with, which are told worse, and tell where that row varies more than others. The greater variance and the
fewer degrees of freedom count. How often that errs: ``benchmarks/results/seed_errors.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.clips import FloatArray
from foleybench.reproduce.measure import ROUNDING, Measured, seed_values
from foleybench.stats.moderated import LEAST_GROUPS, CommonLaw, Variance, common_law


def law_within_networks(name: str, rows: Sequence[Measured], reference: Measured) -> CommonLaw | None:
    """Return the law of the variance between seeds of differences from a row, all of the same networks.

    Args:
        name: The metric.
        rows: The rows that are compared with the reference, of the same seeds and clips.
        reference: That row.

    Returns:
        None with one seed, or where fewer than three rows have a value.
    """
    values = [seed_values(name, row) for row in (*rows, reference)]
    return law_of_differences(np.array(values))


def law_of_differences(by_seed: FloatArray) -> CommonLaw | None:
    """Return the law of the variance between seeds of the differences of rows from the last.

    Args:
        by_seed: Values, shape (rows, seeds). Rows that are not finite are left out.

    Returns:
        None with one seed, or where fewer than three rows, the last among them, are finite.
    """
    finite = np.isfinite(by_seed.sum(axis=1))
    told = by_seed[finite]
    n_rows, n_seeds = told.shape
    if n_rows < LEAST_GROUPS or n_seeds < 2 or not finite[-1]:
        return None
    share = 1 - 1 / n_rows  # of the variance and of the degrees of freedom that the mean over rows leaves
    size = float(np.abs(told).max())
    left, gaps = _law(told - told.mean(axis=0), size, share), _law(told[:-1] - told[-1], size)
    both = left and left.of_two()
    if both is None or gaps is None:
        return both
    return both._replace(scale=max(both.scale, gaps.scale), freedom=min(both.freedom, gaps.freedom))


def _law(values: FloatArray, size: float, share: float = 1.0) -> CommonLaw | None:
    """Return the law of the variances between seeds of values (rows, seeds), of which a share is seen."""
    apart = values - values.mean(axis=1, keepdims=True)
    apart[np.abs(apart) <= ROUNDING * size] = 0
    freedom = (values.shape[1] - 1) * share
    return common_law([Variance(float(np.sum(row**2)) / freedom, freedom) for row in apart])
