"""Metrics that are the mean over clips of how far one number of the generated sound is from the reference's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import both, read_pair, scalar
from foleybench.stats.pools import Ratio


def apart(reference: float, generated: float) -> float:
    """Return the absolute difference."""
    return abs(generated - reference)


def octaves(reference: float, generated: float) -> float:
    """Return how many octaves two frequencies are apart.

    Example:
        >>> octaves(500.0, 2000.0)
        2.0
    """
    return abs(float(np.log2(generated / reference)))


def difference_metric(
    *, encoder: str, layer: str, title: str, unit: str, source: str, difference: Callable[[float, float], float]
) -> Metric:
    """Return the metric that averages ``difference(reference, generated)`` of one scalar feature of both sounds."""
    pool = Ratio("difference")

    def per_clip(clip: ClipView) -> Stat:
        reference, generated = read_pair(clip, "reference", "generated")
        return {"difference": scalar(difference(float(reference), float(generated)))}

    return Metric(
        title=title,
        version=1,
        unit=unit,
        better="lower",
        ideal=0.0,
        source=source,
        needs=both(encoder, layer),
        per_clip=per_clip,
        pool=pool,
        undefined="no clip was scored",
        clip_value=pool.of_clip,
    )
