"""Define pools that many metrics share: ratios of sums over clips.

Each pool also gives every clip's influence on the value.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray
from foleybench.stats.influence import Influence


@dataclasses.dataclass(frozen=True)
class Ratio:
    """Sum of one statistic over clips, divided by the sum of another, times a factor; NaN when that is zero.

    Attributes:
        above: Name of the scalar statistic in the numerator.
        below: Names of the scalar statistics whose sum is the denominator; none means the number of clips.
        factor: Multiplies the ratio.
        index: Which element to read of statistics that are lists, or None for scalars.
        counts: Whether both sums are counts, so that the ratio is a rate with ``below`` trials.

    Example:
        >>> Ratio("x")([{"x": np.array(1.0)}, {"x": np.array(3.0)}])
        2.0
    """

    above: str
    below: tuple[str, ...] = ()
    factor: float = 1.0
    index: int | None = None
    counts: bool = False

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the value of a set of clips; NaN for none."""
        above, below = self.columns(stats)
        total = math.fsum(below)
        return self.factor * math.fsum(above) / total if total else float("nan")

    def influence(self, stats: Sequence[Stat]) -> Influence:
        """Return the influence of every clip: its share in the denominator, and its distance from the ratio."""
        above, below = self.columns(stats)
        total = math.fsum(below)
        return Influence((self.factor * above - self(stats) * below) / total, below / total)

    def of_clip(self, stat: Stat) -> float:
        """Return the value of one clip."""
        return self([stat])

    def columns(self, stats: Sequence[Stat]) -> tuple[FloatArray, FloatArray]:
        """Return every clip's numerator and denominator, shapes (clips,)."""
        above = [self._read(stat, self.above) for stat in stats]
        below = [math.fsum(self._read(stat, name) for name in self.below) if self.below else 1.0 for stat in stats]
        return np.array(above, dtype=np.float64), np.array(below, dtype=np.float64)

    def _read(self, stat: Stat, name: str) -> float:
        value = stat[name]
        return float(value[self.index]) if self.index is not None and value.ndim else float(value)


@dataclasses.dataclass(frozen=True)
class MeanOf:
    """A ``pool`` that averages one scalar statistic over clips; NaN for no clips.

    Attributes:
        name: Name of the statistic.
    """

    name: str

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the mean over clips."""
        return float(np.mean([stat[self.name] for stat in stats])) if stats else float("nan")

    def influence(self, stats: Sequence[Stat]) -> Influence:
        """Return the influence of every clip: its distance from the mean, over the number of clips."""
        values = np.array([float(stat[self.name]) for stat in stats])
        return Influence((values - self(stats)) / len(values), np.full(len(values), 1.0 / len(values)))


def mean_of(name: str) -> MeanOf:
    """Return a ``pool`` that averages one scalar statistic over clips; NaN for no clips.

    Example:
        >>> mean_of("x")([{"x": np.array(1.0)}, {"x": np.array(3.0)}])
        2.0
    """
    return MeanOf(name)


def one_statistic(name: str) -> Callable[[Stat], float]:
    """Return a ``clip_value`` that reads one scalar statistic."""
    return lambda stat: float(stat[name])
