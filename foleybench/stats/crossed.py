"""Intervals where votes share raters and share videos.

A vote depends on who gave it and on what was heard: votes of one rater are alike, and so are votes about one video.
The variance of a value is that over raters plus that over videos less that over both together, each made from the
summed influence of the votes of a cluster; Student's quantile, with Satterthwaite's degrees of freedom, allows for few
clusters.
``benchmarks/people_coverage.py`` measures how often such intervals hold the truth.

Sources: Cameron, Gelbach and Miller, "Robust Inference with Multiway Clustering", JBES 29(2), 2011, equation 2.9;
Korn and Graubard 1998 (see ``rates``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from foleybench.clips import FloatArray, IntArray
from foleybench.stats.intervals import LEVEL, Interval
from foleybench.stats.rates import clopper_pearson


class Crossing(NamedTuple):
    """Who gave each vote, and about which video.

    Attributes:
        raters: Number of the rater of each vote, from 0, shape (n,).
        videos: Number of the source video of each vote, from 0, shape (n,).
    """

    raters: IntArray
    videos: IntArray

    @classmethod
    def of(cls, raters: Sequence[str], videos: Sequence[str]) -> Crossing:
        """Number the names."""
        return cls(*(np.unique(np.asarray(names, dtype=str), return_inverse=True)[1] for names in (raters, videos)))

    def chosen(self, votes: IntArray) -> Crossing:
        """Return the crossing of some votes, given as positions."""
        return Crossing.of([str(n) for n in self.raters[votes]], [str(n) for n in self.videos[votes]])

    @property
    def n_raters(self) -> int:
        """How many raters there are."""
        return len(np.unique(self.raters))

    @property
    def n_videos(self) -> int:
        """How many source videos there are."""
        return len(np.unique(self.videos))


class Spread(NamedTuple):
    """How far a value may lie from its truth, by the choice of raters and videos.

    Attributes:
        variance: NaN when it cannot be told: one rater, or one video.
        freedom: Degrees of freedom of the variance (Satterthwaite), at least 1.
    """

    variance: float
    freedom: float

    @property
    def quantile(self) -> float:
        """How many standard errors a 95 % interval reaches to either side."""
        return float(special.stdtrit(self.freedom, 0.5 + LEVEL / 2))

    @property
    def half_width(self) -> float:
        """Half the width of a 95 % interval."""
        return float(np.sqrt(self.variance)) * self.quantile

    def p_value(self, value: float) -> float | None:
        """Return the two-sided p-value of a truth of 0, None when it cannot be told."""
        if not self.variance > 0:
            return None
        return float(2 * special.stdtr(self.freedom, -abs(value) / np.sqrt(self.variance)))


def crossed_spread(change: FloatArray, crossing: Crossing, least: float = 0.0) -> Spread:
    """Return the spread of a value.

    Args:
        change: First-order change of the value with each vote, shape (n,).
        crossing: Of the same votes.
        least: The variance is never below this, nor below what either kind of cluster gives alone.
    """
    n_raters, n_videos = crossing.n_raters, crossing.n_videos
    if min(n_raters, n_videos) < 2:
        return Spread(float("nan"), 1.0)
    cells = crossing.raters.astype(np.int64) * (int(crossing.videos.max()) + 1) + crossing.videos
    raters, videos, both = (_one_way(change, codes) for codes in (crossing.raters, crossing.videos, cells))
    scale = raters**2 / (n_raters - 1) + videos**2 / (n_videos - 1)
    freedom = (raters + videos) ** 2 / scale if scale > 0 else min(n_raters, n_videos) - 1
    return Spread(max(raters + videos - both, raters, videos, least), max(1.0, freedom))


def _one_way(change: FloatArray, codes: IntArray) -> float:
    _, numbers = np.unique(codes, return_inverse=True)
    sums = np.bincount(numbers, weights=change)
    return float(np.sum(sums**2) * len(sums) / max(1, len(sums) - 1))


def crossed_rate(hits: FloatArray, crossing: Crossing) -> tuple[float, Interval | None]:
    """Return the mean of votes of 0, a half or 1, and its interval: exact, with the effective number of votes.

    Args:
        hits: Of each vote, shape (n,).
        crossing: Of the same votes.

    Returns:
        The rate, NaN for no votes, and its interval, None for one rater or one video.
    """
    if not len(hits):
        return float("nan"), None
    share = float(np.mean(hits))
    spread = crossed_spread((hits - share) / len(hits), crossing)
    if not np.isfinite(spread.variance):
        return share, None
    if spread.variance > 0:
        inflation = spread.quantile / float(special.ndtri(0.5 + LEVEL / 2))
        size = min(share * (1 - share) / spread.variance, len(hits)) / inflation**2
    else:  # all votes alike: as many trials as there are clusters
        size = min(_even(crossing.raters), _even(crossing.videos))
    low, high = clopper_pearson(share * size, size, LEVEL)
    return share, Interval(low, high)


def _even(codes: IntArray) -> float:
    shares = np.bincount(codes) / len(codes)
    return 1.0 / float(np.sum(shares**2))
