"""Statistics and pooling of Fréchet distances between all generated and all reference sounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.metrics import ClipView, Stat
from foleybench.metrics._features import read
from foleybench.metrics._frechet import Pair, corrected_distance, distance_of


def rows_per_clip(clip: ClipView) -> Stat:
    """Return the embeddings of a clip's two sounds as rows, shapes (n, d) and (m, d)."""
    return {name: np.atleast_2d(read(clip, name)) for name in ("reference", "generated")}


def pool(stats: Sequence[Stat]) -> float:
    """Return the Fréchet distance between all rows; NaN for fewer than two clips."""
    return distance_of(_pairs(stats))


def corrected(stats: Sequence[Stat]) -> float:
    """Return the distance extrapolated to infinitely many clips."""
    return corrected_distance(_pairs(stats))


def _pairs(stats: Sequence[Stat]) -> list[Pair]:
    return [(stat["reference"], stat["generated"]) for stat in stats]
