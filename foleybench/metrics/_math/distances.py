"""Statistics and pooling of Fréchet distances between all generated and all reference sounds."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from foleybench.api.metric import ClipView, Stat
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import read
from foleybench.metrics._math.frechet import frechet_distance
from foleybench.metrics._math.frechet_resampled import BUDGET, Rows, distances

# Random halvings for the correction; each gives two halves.
_N_HALVINGS = 8

Pair = tuple[FloatArray, FloatArray]


def rows_per_clip(clip: ClipView) -> Stat:
    """Return the embeddings of a clip's two sounds as rows, shapes (n, d) and (m, d)."""
    return {name: np.atleast_2d(read(clip, name)) for name in ("reference", "generated")}


@dataclasses.dataclass(frozen=True)
class FrechetPool:
    """The Fréchet distance between all rows of the statistics ``reference`` and ``generated``; NaN for under two clips.

    Attributes:
        budget: Multiply-adds that exact resampling may take; above it resamples are valued to first order.
    """

    budget: float = BUDGET

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the distance of a set of clips; their order changes no bit."""
        return distance_of(_pairs(stats))

    def many(self, stats: Sequence[Stat], counts: npt.NDArray[np.int64]) -> FloatArray:
        """Return the distances of bootstrap resamples.

        Args:
            stats: Statistics of n clips.
            counts: How often each clip occurs in each resample, shape (resamples, n).

        Returns:
            Shape (resamples,).
        """
        pairs = _pairs(stats)
        return distances(Rows.of([a for a, _ in pairs]), Rows.of([b for _, b in pairs]), counts, self.budget)


pool = FrechetPool()


def corrected(stats: Sequence[Stat]) -> float:
    """Return the distance extrapolated to infinitely many clips."""
    return corrected_distance(_pairs(stats))


def corrected_distance(pairs: Sequence[Pair]) -> float:
    """Return the distance extrapolated to infinitely many clips.

    The bias of the distance falls as 1 / n, so twice the distance on all clips less the mean distance on halves of them
    is free of it to first order. Halves hold the same clips on both sides, so equal sets stay at 0. It is not cut at 0:
    around 0 it must fall on both sides. It takes clips for independent: where the generated sounds are the reference
    sounds of other clips of the set, as in two control rows, it subtracts too much. What bias is left is measured in
    ``benchmarks/coverage.py``.

    Args:
        pairs: For each clip the rows of both sets, shapes (n_i, d) and (m_i, d).

    Returns:
        The corrected distance; NaN when the halves are too small to have a covariance.

    Sources: Chong and Forsyth, "Effectively unbiased FID", CVPR 2020, with two sizes and no line fit.
    """
    pairs = in_fixed_order(pairs)
    half = len(pairs) // 2
    if half < 2:
        return float("nan")
    rng = np.random.default_rng(0)
    halves = []
    for _ in range(_N_HALVINGS):
        order = rng.permutation(len(pairs))
        for chosen in (order[:half], order[half : 2 * half]):
            halves.append(_distance([pairs[i] for i in chosen]))
    share = half / len(pairs)
    return (_distance(pairs) - share * float(np.mean(halves))) / (1.0 - share)


def distance_of(pairs: Sequence[Pair]) -> float:
    """Return the distance between all rows of the first and of the second set; NaN for fewer than two clips."""
    return _distance(in_fixed_order(pairs)) if len(pairs) > 1 else float("nan")


def in_fixed_order(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the clips sorted by their values, so that their order cannot change the last bit of a sum."""
    return [pairs[index] for index in fixed_order(pairs)]


def fixed_order(pairs: Sequence[Pair]) -> list[int]:
    """Return the places of the clips in the order of their values."""
    ordered: list[int] = []
    # The first values tell clips apart; all of them at once would be a copy of the whole set.
    starts = [pair[0][:1, :8].tobytes() for pair in pairs]
    for _, group in itertools.groupby(sorted(range(len(pairs)), key=starts.__getitem__), key=starts.__getitem__):
        alike = list(group)
        if len(alike) > 1:
            alike.sort(key=lambda index: (pairs[index][0].tobytes(), pairs[index][1].tobytes()))
        ordered += alike
    return ordered


def _distance(pairs: Sequence[Pair]) -> float:
    return frechet_distance(np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs]))


def _pairs(stats: Sequence[Stat]) -> list[Pair]:
    return [(stat["reference"], stat["generated"]) for stat in stats]
