"""How alike two rankings of the same systems are.

The interval is Bonett and Wright's: Fisher's z of Spearman's correlation with the standard error
``sqrt((1 + r^2 / 2) / (n - 3))``. A correlation of 1 or -1 counts as the middle between it and the next that n ranks
can have, since five systems in the same order do not prove that all are.

Source: Bonett and Wright, "Sample size requirements for estimating Pearson, Kendall and Spearman correlations",
Psychometrika 65, 2000.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from foleybench.stats.intervals import LEVEL, Interval

# Four systems leave one degree of freedom, and whatever they say the interval is nearly -1 to 1.
LEAST_SYSTEMS = 5


class RankCorrelation(NamedTuple):
    """Two rankings held against each other.

    Attributes:
        spearman: Spearman's correlation; NaN when it cannot be told.
        interval: Its 95 % interval over systems, or None.
        kendall: Kendall's tau-b; NaN when it cannot be told.
        n: Number of systems.
    """

    spearman: float
    interval: Interval | None
    kendall: float
    n: int


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> RankCorrelation:
    """Compare two scores of the same systems.

    Args:
        first: One score of every system, higher is better.
        second: The other, in the same order.

    Returns:
        Without numbers when there are fewer than ``LEAST_SYSTEMS`` systems or all have the same score.

    Example:
        >>> found = rank_correlation([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])
        >>> round(found.spearman, 2), round(found.kendall, 2), [round(end, 2) for end in found.interval]
        (0.9, 0.8, [-0.17, 1.0])
    """
    n = len(first)
    if n < LEAST_SYSTEMS or min(len(set(first)), len(set(second))) < 2:
        return RankCorrelation(math.nan, None, math.nan, n)
    spearman = float(np.asarray(stats.spearmanr(first, second))[0])
    kendall = float(np.asarray(stats.kendalltau(first, second))[0])
    next_below = 1.0 - 6.0 / (n**3 - n)  # the middle of 1 and 1 - 12 / (n^3 - n)
    inner = float(np.clip(spearman, -next_below, next_below))
    half = float(special.ndtri(0.5 + LEVEL / 2)) * math.sqrt((1 + inner**2 / 2) / (n - 3))
    low, high = math.tanh(math.atanh(inner) - half), math.tanh(math.atanh(inner) + half)
    return RankCorrelation(spearman, Interval(min(low, spearman), max(high, spearman)), kendall, n)
