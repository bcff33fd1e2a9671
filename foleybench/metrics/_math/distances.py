"""Pool the Fréchet distance between all generated and reference embeddings."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from foleybench.api.metric import Stat
from foleybench.metrics._math.extrapolate import extrapolated
from foleybench.metrics._math.frechet import frechet_distance
from foleybench.metrics._math.frechet_influence import influence
from foleybench.metrics._math.rows import Pair, fixed_order, in_fixed_order, pairs_of, sides
from foleybench.stats.influence import Influence


@dataclasses.dataclass(frozen=True)
class FrechetPool:
    """The distance between all rows of the statistics ``reference`` and ``generated``; NaN for under two clips."""

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the distance of a set of clips; their order changes no bit."""
        return distance_of(pairs_of(stats))

    def influence(self, stats: Sequence[Stat]) -> Influence:
        """Return the influence of every clip."""
        return influence(*sides(pairs_of(stats)))


def corrected_frechet(stats: Sequence[Stat], sources: Sequence[str]) -> float:
    """Return the distance extrapolated to infinitely many videos."""
    return corrected_distance(pairs_of(stats), sources)


def corrected_distance(pairs: Sequence[Pair], sources: Sequence[str]) -> float:
    """Return the distance extrapolated to infinitely many videos.

    Halves hold the same clips on both sides, so equal sets stay at 0, and whole videos: clips of one video are alike,
    so halves of them would show too little bias. The result is not cut at 0: around 0 it must fall on both sides.
    Videos are assumed independent: where the generated audio is the reference audio of other clips of the set, as in
        two
    control rows, too much is subtracted. ``benchmarks/coverage.py`` measures the bias that is left.

    Args:
        pairs: For each clip the rows of both sets, shapes (n_i, d) and (m_i, d).
        sources: For each clip the video that it was cut from.

    Returns:
        The corrected distance; NaN when the halves are too small to have a covariance.
    """
    order = fixed_order(pairs)
    ordered = [pairs[index] for index in order]
    return extrapolated(
        lambda chosen: _distance([ordered[index] for index in chosen]), [sources[index] for index in order]
    )


def distance_of(pairs: Sequence[Pair]) -> float:
    """Return the distance between all rows of the first and of the second set; NaN for fewer than two clips."""
    return _distance(in_fixed_order(pairs)) if len(pairs) > 1 else float("nan")


def _distance(pairs: Sequence[Pair]) -> float:
    return frechet_distance(np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs]))
