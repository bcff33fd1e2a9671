"""Compute intervals and paired tests over source videos.

The unit is the source video: clips cut from one video are not independent, so they stay together. Each video's
first-order influence on a value (``influence``) is compared with randomly flipped signs (``sign_flips``), once plain
and once corrected for skewness (``skewness``); interval and p-value are those of the wider of the two, so the interval
leaves 0 out exactly where p is below 0.05. ``benchmarks/coverage.py`` measures their coverage, ``docs/statistics.md``
quotes its tables.

Every function takes a ``Generator``, never the global one, and sorts its input by id first: the order of clips changes
nothing, the same seed gives the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy import special

from foleybench.api.metric import Pool, Stat
from foleybench.clips import FloatArray
from foleybench.stats.influence import Influence, of_videos, source_groups
from foleybench.stats.sign_flips import Flips, flips
from foleybench.stats.skewness import Skewness

LEVEL = 0.95
# n videos have 2^(n-1) sign vectors: with five, no value can be rejected at 5 %.
LEAST_VIDEOS = 6
# Below this many videos the coverage depends on the distribution of the values.
FEW_VIDEOS = 8
# Differences below this share of the larger value are rounding, not differences.
_ROUNDING = 1e-12


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


class Paired(NamedTuple):
    """Two systems on the clips that both cover.

    Attributes:
        difference: Value of the first system less that of the second.
        low: Lower end of the 95 % interval of the difference, None when there is none.
        high: Upper end.
        p_value: Two-sided, not corrected for other comparisons; None when there is none. The p-value is below 0.05
            exactly when the interval leaves out 0.
        n: Number of clips that both systems have.
        first: Value of the first system on those clips.
        second: Value of the second system on those clips.
    """

    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    n: int
    first: float
    second: float


class Deviations(NamedTuple):
    """The chance deviation of a value from its truth.

    Attributes:
        flips: Sign flips of the videos' influence.
        skewness: Skewness of the videos' influence.
    """

    flips: Flips
    skewness: Skewness

    @classmethod
    def of(cls, influence: Influence, size: float, *, rng: np.random.Generator, draws: int) -> Deviations | None:
        """Return the deviation that the videos show, or None when fewer than two of them have any influence.

        Args:
            influence: Influence of the videos on the value.
            size: Size of the value, or of the larger of two compared values: changes far below it are rounding.
            rng: The only source of randomness.
            draws: Number of sign vectors.
        """
        change = np.where(np.abs(influence.change) > _ROUNDING * size * influence.weights, influence.change, 0.0)
        telling = (influence.weights > 0) | (change != 0)
        change, weights = change[telling], influence.weights[telling]
        if len(change) < 2:
            return None
        return cls(flips(change, weights, rng=rng, draws=draws), Skewness.of(change, weights))

    def without_skewness(self) -> Deviations:
        """Return the same without the correction for skewness, for values that are exact otherwise."""
        return Deviations(self.flips, Skewness(0.0, 0.0))

    def p_value(self, deviation: float) -> float:
        """Return the two-sided p-value of a truth that lies ``deviation`` below the value."""
        corrected = self.skewness.corrected(deviation)
        return max(self.flips.p_value(deviation), self.flips.p_value(corrected))

    def around(self, value: float, level: float) -> Interval | None:
        """Return the interval of a value, or None where no value can be rejected."""
        below, above = self.flips.reach(level)
        below = max(below, self.skewness.turned(below))
        above = max(above, -self.skewness.turned(-above))
        return Interval(value - below, value + above) if np.isfinite(below) and np.isfinite(above) else None


def value_interval(
    pool: Pool,
    stats: Mapping[str, Stat],
    sources: Mapping[str, str],
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    level: float = LEVEL,
) -> Interval | None:
    """Return the interval of a pooled value.

    Args:
        pool: The metric's pool.
        stats: Clip id -> statistics, of the clips that the metric applies to.
        sources: Clip id -> source video, for at least those clips.
        rng: The only source of randomness.
        draws: How many sign vectors, where there are too many to try them all.
        level: Coverage aimed at.

    Returns:
        The interval; None when the value is undefined, when it rests on one video alone, or when there are too few
        videos for the level (fewer than six for 95 %).
    """
    ids = sorted(stats)
    ordered = [stats[clip_id] for clip_id in ids]
    groups = source_groups(ids, sources)
    value = pool(ordered) if len(groups) > 1 else float("nan")
    influence = of_videos(pool, ordered, groups) if np.isfinite(value) else None
    deviations = Deviations.of(influence, abs(value), rng=rng, draws=draws) if influence else None
    return deviations.around(value, level) if deviations else None


def paired_test(
    pool: Pool,
    a: Mapping[str, Stat],
    b: Mapping[str, Stat],
    sources: Mapping[str, str],
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    level: float = LEVEL,
    span: float | None = None,
) -> Paired:
    """Compare two systems on the clips that both have.

    Difficulty that a video has for both systems cancels in the video's influence on the difference.

    Args:
        pool: The metric's pool.
        a: Statistics of the first system.
        b: Statistics of the second system.
        sources: Clip id -> source video.
        rng: The only source of randomness.
        draws: How many sign vectors, where there are too many to try them all; the smallest p-value is
            1 / (draws + 1), and with few videos 2 ** (1 - videos).
        level: Coverage of the interval.
        span: For means of values between two bounds, how far these are apart.
    """
    ids = sorted(set(a) & set(b))
    sides = [[found[clip_id] for clip_id in ids] for found in (a, b)]
    groups = source_groups(ids, sources)
    first, second = (pool(side) if ids else float("nan") for side in sides)
    if len(groups) < 2 or not np.isfinite([first, second]).all():
        return Paired(first - second, None, None, None, len(ids), first, second)
    found = [of_videos(pool, side, groups) for side in sides]
    return compare(first, second, found[0], found[1], n=len(ids), rng=rng, draws=draws, level=level, span=span)


def compare(
    first: float,
    second: float,
    one: Influence | None,
    other: Influence | None,
    *,
    n: int,
    rng: np.random.Generator,
    draws: int,
    level: float = LEVEL,
    span: float | None = None,
) -> Paired:
    """Return interval and p-value of ``first - second`` from the influence of the same videos on both.

    Args:
        first: Value of the first system.
        second: Value of the second system.
        one: Influence of the videos on the first value, or None when it cannot be told.
        other: The same of the second.
        n: Number of clips.
        rng: The only source of randomness.
        draws: How many sign vectors.
        level: Coverage of the interval.
        span: For means of values between two bounds, how far these are apart.
    """
    difference = first - second
    if one is None or other is None or not np.isfinite(difference):
        return Paired(difference, None, None, None, n, first, second)
    weights = (one.weights + other.weights) / 2.0
    size = max(abs(first), abs(second))
    deviations = Deviations.of(Influence(one.change - other.change, weights), size, rng=rng, draws=draws)
    if deviations is None:
        return Paired(difference, None, None, None, n, first, second)
    ends = deviations.around(difference, level)
    if span and ends and ends.low == ends.high:
        ends = _of_alike(difference, weights, span, level)
    low, high = ends or (None, None)
    p_value = 1.0 if abs(difference) <= _ROUNDING * size else deviations.p_value(difference)
    return _agreeing(Paired(difference, low, high, p_value, n, first, second), level)


def _of_alike(difference: float, weights: FloatArray, span: float, level: float) -> Interval:
    """Return the interval where all clips agree: both systems hit all, or one hits all and the other none.

    Twenty pairs without a disagreement do not prove that there is none: the interval is Tango's score interval of
    paired rates, which without disagreement reaches ``z^2 / (n + z^2)`` to either side. Source: Tango, Statistics in
    Medicine 17, 1998.
    """
    if abs(difference) not in (0.0, span):
        return Interval(difference, difference)
    squared = float(special.ndtri(0.5 + level / 2)) ** 2
    half = span * squared / (1.0 / float(np.sum(weights**2)) + squared)
    return Interval(max(-span, difference - half), min(span, difference + half))


def _agreeing(found: Paired, level: float) -> Paired:
    """Set an end that is 0 but for rounding to 0, where the p-value includes 0."""
    if found.low is None or found.high is None or found.p_value is None or found.p_value < 1 - level:
        return found
    return found._replace(low=min(found.low, 0.0), high=max(found.high, 0.0))
