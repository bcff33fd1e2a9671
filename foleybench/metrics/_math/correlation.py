"""Correlation of curves, and within clips, pooled over clips."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray
from foleybench.stats.influence import Influence


def of_curves(given: FloatArray, measured: FloatArray, *, constant: float) -> float | None:
    """Return Pearson's correlation of two curves, shape (n,): 0 where what is measured is constant.

    Args:
        given: What is to be followed.
        measured: What follows it.
        constant: Standard deviation below which a curve counts as constant: its correlation would be rounding noise.

    Returns:
        -1 to 1, or None where nothing is to be followed.

    Example:
        >>> rise = np.array([0.0, 1.0, 2.0])
        >>> [of_curves(rise, other, constant=1e-6) for other in (2 * rise, -rise, 0 * rise)]
        [1.0, -1.0, 0.0]
    """
    if not len(given) or given.std() < constant:
        return None
    if measured.std() < constant:
        return 0.0
    one, two = given - given.mean(), measured - measured.mean()
    return min(1.0, max(-1.0, float(one @ two / np.sqrt((one @ one) * (two @ two)))))


def products(first: FloatArray, second: FloatArray) -> Stat:
    """Return the sums of squares and products of two series of one clip, each around its own mean.

    Args:
        first: What is given, shape (n,), n >= 1.
        second: What is measured, shape (n,).
    """
    one, two = first - first.mean(), second - second.mean()
    return {"given": np.asarray(one @ one), "measured": np.asarray(two @ two), "both": np.asarray(one @ two)}


class WithinClipCorrelation:
    """Pearson's correlation of what is measured with what is given, after every clip's own means are taken away.

    What is measured and never changes follows nothing: 0. NaN where what is given never changes.

    Example:
        >>> import numpy as np
        >>> pool = WithinClipCorrelation()
        >>> clips = [products(np.array([0.0, 1.0]), np.array([5.0, 7.0])), products(np.array([0.0, 1.0]), np.zeros(2))]
        >>> round(pool(clips), 6), pool(clips[1:])
        (0.707107, 0.0)
    """

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the correlation over clips, -1 to 1."""
        given, measured, both = self._sums(stats)
        if not given:
            return float("nan")
        return max(-1.0, min(1.0, both / math.sqrt(given * measured))) if measured else 0.0

    def influence(self, stats: Sequence[Stat]) -> Influence:
        """Return the influence of every clip: the derivative of the correlation by the clip's weight."""
        given, measured, both = self._sums(stats)
        columns = [np.array([float(stat[name]) for stat in stats]) for name in ("given", "measured", "both")]
        weights = columns[0] / given
        if not measured:
            return Influence(np.zeros(len(stats)), weights)
        value = both / math.sqrt(given * measured)
        change = columns[2] / math.sqrt(given * measured)
        return Influence(change - 0.5 * value * (weights + columns[1] / measured), weights)

    def of_clip(self, stat: Stat) -> float:
        """Return the correlation of one clip."""
        return self([stat])

    def _sums(self, stats: Sequence[Stat]) -> tuple[float, float, float]:
        given, measured, both = (math.fsum(float(s[name]) for s in stats) for name in ("given", "measured", "both"))
        return given, measured, both
