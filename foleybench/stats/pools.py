"""Pools that many metrics share: ratios of sums over clips.

Each can also value many bootstrap resamples at once (``many``), as one matrix product.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray


@dataclasses.dataclass(frozen=True)
class Ratio:
    """Sum of one statistic over clips, divided by the sum of another, times a factor; NaN when that is zero.

    Attributes:
        above: Name of the scalar statistic in the numerator.
        below: Names of the scalar statistics whose sum is the denominator; none means the number of clips.
        factor: Multiplies the ratio.
        index: Which element to read of statistics that are lists, or None for scalars.

    Example:
        >>> Ratio("x")([{"x": np.array(1.0)}, {"x": np.array(3.0)}])
        2.0
    """

    above: str
    below: tuple[str, ...] = ()
    factor: float = 1.0
    index: int | None = None

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the value of a set of clips; NaN for none."""
        above, below = self._columns(stats)
        total = math.fsum(below)
        return self.factor * math.fsum(above) / total if total else float("nan")

    def many(self, stats: Sequence[Stat], counts: npt.NDArray[np.int64]) -> FloatArray:
        """Return the values of resamples.

        Args:
            stats: Statistics of n clips.
            counts: How often each clip occurs in each resample, shape (resamples, n).

        Returns:
            Shape (resamples,); NaN where undefined.
        """
        above, below = (counts @ np.asarray(column, dtype=np.float64) for column in self._columns(stats))
        return np.asarray(np.where(below != 0, self.factor * above / np.where(below != 0, below, 1.0), np.nan))

    def of_clip(self, stat: Stat) -> float:
        """Return the value of one clip."""
        return self([stat])

    def _columns(self, stats: Sequence[Stat]) -> tuple[list[float], list[float]]:
        above = [self._read(stat, self.above) for stat in stats]
        below = [math.fsum(self._read(stat, name) for name in self.below) if self.below else 1.0 for stat in stats]
        return above, below

    def _read(self, stat: Stat, name: str) -> float:
        value = stat[name]
        return float(value[self.index]) if self.index is not None and value.ndim else float(value)


@dataclasses.dataclass(frozen=True)
class MeanOf:
    """A ``pool`` that averages one scalar statistic over clips; NaN for no clips.

    Attributes:
        name: Which statistic.
    """

    name: str

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the mean over clips."""
        return float(np.mean([stat[self.name] for stat in stats])) if stats else float("nan")

    def many(self, stats: Sequence[Stat], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the means of resamples, given how often each clip occurs in each, shape (resamples, clips)."""
        values = np.array([float(stat[self.name]) for stat in stats])
        means: npt.NDArray[np.float64] = (counts @ values) / counts.sum(axis=1)
        return means


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
