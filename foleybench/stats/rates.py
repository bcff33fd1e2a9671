"""Compute exact intervals of rates, with the effective number of clips.

Near 0 and 100 % clips show little of their spread: 20 hits of 20 show none. Clopper and Pearson's interval of k of n is
exact at any rate. Where clips of one video are alike, n is the number of independent clips with equal information (Korn
and Graubard).

Sources: Clopper and Pearson 1934; Korn and Graubard, "Confidence intervals for proportions with small expected number
of positive counts estimated from survey data", Survey Methodology 24(2), 1998.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from foleybench.stats.influence import Influence
from foleybench.stats.intervals import Interval


def rate_interval(share: float, influence: Influence, n: float, level: float) -> Interval:
    """Return the interval of a share of a whole.

    Args:
        share: The share found, in 0 .. 1.
        influence: Influence of the videos, in the same unit.
        n: The number of trials; the effective number is never above it.
        level: Coverage aimed at.
    """
    videos = len(influence.weights)
    even = 1.0 / float(np.sum(influence.weights**2))
    variance = float(np.sum(influence.change**2)) * videos / max(1, videos - 1)
    if n == videos and np.allclose(influence.weights, 1.0 / videos):
        size = n  # one trial a video: there is nothing to estimate
    elif variance == 0.0:
        size = even
    else:
        # The variance comes from few videos: Student's quantile over the normal one.
        inflation = special.stdtrit(max(1.0, even - 1.0), 0.5 + level / 2) / special.ndtri(0.5 + level / 2)
        size = min(share * (1.0 - share) / variance, n) / inflation**2
    return clopper_pearson(share * size, size, level)


def clopper_pearson(hits: float, n: float, level: float) -> Interval:
    """Return the exact interval of a rate; neither number need be whole.

    Args:
        hits: Number of hits among the trials.
        n: Number of trials.
        level: Least coverage.

    Example:
        >>> [round(end, 4) for end in clopper_pearson(20, 20, 0.95)]
        [0.8316, 1.0]
    """
    tail = (1.0 - level) / 2.0
    low = float(special.betaincinv(hits, n - hits + 1.0, tail)) if hits > 0 else 0.0
    high = float(special.betaincinv(hits + 1.0, n - hits, 1.0 - tail)) if hits < n else 1.0
    return Interval(low, high)
