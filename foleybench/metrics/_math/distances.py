"""The Fréchet distance between all generated and all reference embeddings."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray
from foleybench.metrics._math.extrapolate import extrapolated
from foleybench.metrics._math.frechet import frechet_distance
from foleybench.metrics._math.frechet_resampled import BUDGET, distances
from foleybench.metrics._math.rows import Pair, in_fixed_order, pairs_of, sides


@dataclasses.dataclass(frozen=True)
class FrechetPool:
    """The distance between all rows of the statistics ``reference`` and ``generated``; NaN for under two clips.

    Attributes:
        budget: Multiply-adds that exact resampling may take; above it resamples are valued to first order.
    """

    budget: float = BUDGET

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the distance of a set of clips; their order changes no bit."""
        return distance_of(pairs_of(stats))

    def many(self, stats: Sequence[Stat], counts: npt.NDArray[np.int64]) -> FloatArray:
        """Return the distances of resamples, as ``FastPool.many``."""
        return distances(*sides(pairs_of(stats)), counts, self.budget)


def corrected_frechet(stats: Sequence[Stat]) -> float:
    """Return the distance extrapolated to infinitely many clips."""
    return corrected_distance(pairs_of(stats))


def corrected_distance(pairs: Sequence[Pair]) -> float:
    """Return the distance extrapolated to infinitely many clips.

    Halves hold the same clips on both sides, so equal sets stay at 0. The result is not cut at 0: around 0 it must fall
    on both sides. It takes clips for independent: where the generated audio is the reference audio of other clips of
    the set, as in two control rows, it subtracts too much. ``benchmarks/coverage.py`` measures the bias that is left.

    Args:
        pairs: For each clip the rows of both sets, shapes (n_i, d) and (m_i, d).

    Returns:
        The corrected distance; NaN when the halves are too small to have a covariance.
    """
    ordered = in_fixed_order(pairs)
    return extrapolated(lambda chosen: _distance([ordered[index] for index in chosen]), len(ordered))


def distance_of(pairs: Sequence[Pair]) -> float:
    """Return the distance between all rows of the first and of the second set; NaN for fewer than two clips."""
    return _distance(in_fixed_order(pairs)) if len(pairs) > 1 else float("nan")


def _distance(pairs: Sequence[Pair]) -> float:
    return frechet_distance(np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs]))
