"""Compute which steps of a ladder a paired test tells apart.

The error of a difference of two steps is that of every source video's first-order influence on both values
(``foleybench.stats.influence``), as in the tables of ``foleybench reproduce``: exact for means, to first order for
ratios of sums and distances between sets.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from foleybench.api.metric import Metric, Stat
from foleybench.clips import FloatArray, IntArray
from foleybench.stats import estimate
from foleybench.stats.influence import of_videos, source_groups
from foleybench.stats.intervals import LEAST_VIDEOS

# Two-sided 5 %, found in four trials of five: the quantiles .975 and .8 of the normal distribution.
LEVEL = 1.959964
POWER = LEVEL + 0.841621
TRUE = "another take"
# Step -> clip id -> statistics of one metric.
Found = dict[str, dict[str, Stat]]


def step_name(ladder: str, step: float) -> str:
    """Return the name that a step of a ladder has in states; ``TRUE`` is the step before the first."""
    return f"{ladder} {step:g}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rung:
    """A metric along one ladder.

    Attributes:
        values: From the true events (another take) to the strongest step; NaN where the metric is undefined.
        errors: Standard error of the difference of each neighbouring pair, times the root of the number of clips; NaN
            where a value is undefined or there are too few videos to tell.
        worse: 1 where larger values are worse, -1 where they are better.
        n_clips: Number of clips that every step has.
    """

    values: tuple[float, ...]
    errors: tuple[float, ...]
    worse: int
    n_clips: int

    @property
    def drops(self) -> list[float]:
        """How much worse each step is than the one before it."""
        return [self.worse * (after - before) for before, after in itertools.pairwise(self.values)]

    @property
    def in_order(self) -> bool:
        """Whether every step is worse than the one before it."""
        return all(drop > 0 for drop in self.drops)

    def told_apart(self, n_clips: int) -> list[bool]:
        """Whether each neighbouring pair is told apart in four trials of five, if its difference is the one here."""
        return self._above(POWER / math.sqrt(n_clips))

    def surely_apart(self, n_clips: int) -> list[bool]:
        """Whether each pair is told apart, and the clips played show that its difference is above 0.

        A true difference of 0 comes out as half its error or more in three samples of ten, and so large a one would
        seem to be told apart by thirty times as many clips.
        """
        shown = self._above(LEVEL / math.sqrt(self.n_clips))
        return [told and sure for told, sure in zip(self.told_apart(n_clips), shown, strict=True)]

    def turned(self) -> list[bool]:
        """Whether each step is significantly better than the one before, with the clips played (not corrected)."""
        return dataclasses.replace(self, worse=-self.worse)._above(LEVEL / math.sqrt(self.n_clips))

    def smallest(self, n_clips: int) -> float:
        """Return the difference found in four trials of five: the median over pairs that differ in any clip, or NaN."""
        errors = [error for error in self.errors if error > 0]
        return POWER * float(np.median(errors)) / math.sqrt(n_clips) if errors else math.nan

    def _above(self, limit: float) -> list[bool]:
        """Whether each drop is above its error times a limit; never where the error cannot be told."""
        return [drop > limit * error for drop, error in zip(self.drops, self.errors, strict=True)]


def rung(metric: Metric, steps: Sequence[Mapping[str, Stat]], sources: Mapping[str, str]) -> Rung:
    """Return a metric along one ladder.

    Args:
        metric: The metric.
        steps: For each step, mild to strong, clip id -> statistics; clips that a step lacks do not count.
        sources: Clip id -> source video, for at least those clips.
    """
    ids = sorted(set.intersection(*map(set, steps)))
    groups = source_groups(ids, sources)
    sides = [{clip_id: step[clip_id] for clip_id in ids} for step in steps]
    values = tuple(estimate.value_of(metric, side) for side in sides)
    changes = [
        _changes(metric, list(side.values()), groups) if math.isfinite(value) else None
        for side, value in zip(sides, values, strict=True)
    ]
    errors = tuple(_paired_error(*pair) * math.sqrt(len(ids)) for pair in itertools.pairwise(changes))
    return Rung(values=values, errors=errors, worse=1 if metric.better == "lower" else -1, n_clips=len(ids))


def _changes(metric: Metric, stats: list[Stat], groups: Sequence[IntArray]) -> FloatArray | None:
    """Return every video's influence on a value, shape (videos,); None where it cannot be told."""
    found = of_videos(metric.pool, stats, groups) if len(groups) >= LEAST_VIDEOS else None
    return None if found is None else found.change


def _paired_error(before: FloatArray | None, after: FloatArray | None) -> float:
    """Return the standard error of the difference of two values of the same videos; NaN where it cannot be told."""
    if before is None or after is None:
        return math.nan
    n_videos = len(before)
    return math.sqrt(float(np.sum((after - before) ** 2)) * n_videos / (n_videos - 1))
