"""Mean difference between a feature of generated and reference audio."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import both, read_pair, scalar
from foleybench.stats.pools import Ratio

Difference = Callable[[FloatArray, FloatArray], float]
# Between the highest and the lowest frequency of encoder ``spectrum``, in Hz.
OCTAVES = math.log2(24000.0 / 70.3125)


def apart(reference: FloatArray, generated: FloatArray) -> float:
    """Return the absolute difference of two numbers, shape ()."""
    return abs(float(generated) - float(reference))


def octaves(reference: FloatArray, generated: FloatArray) -> float:
    """Return how many octaves two frequencies, shape (), are apart.

    Example:
        >>> octaves(np.array(500.0), np.array(2000.0))
        2.0
    """
    return abs(float(np.log2(generated / reference)))


def difference_metric(
    difference: Difference,
    *,
    encoder: str,
    layer: str,
    title: str,
    unit: str,
    source: str,
    version: int = 1,
    ideal: float | None = 0.0,
    worst: float | None = None,
    statistic: str = "difference",
    factor: float = 1.0,
    note: str = "",
) -> Metric:
    """Return the metric that averages ``difference(reference, generated)`` of one feature over clips.

    Args:
        difference: Takes the feature of the reference and of the generated audio, both of the layer's shape.
        encoder: Makes the feature.
        layer: Which of its outputs.
        title: Column heading.
        unit: Of the value.
        source: What defines it.
        version: Of the metric.
        ideal: Value of a perfect system.
        worst: Value at the other end of the scale.
        statistic: Name of a clip's difference in clip tables.
        factor: Multiplies the mean.
        note: What the card says of every metric of a family.
    """
    pool = Ratio(statistic, factor=factor)

    def per_clip(clip: ClipView) -> Stat:
        return {statistic: scalar(difference(*read_pair(clip, "reference", "generated")))}

    return Metric(
        title=title,
        version=version,
        unit=unit,
        better="lower",
        ideal=ideal,
        worst=worst,
        source=source,
        needs=both(encoder, layer),
        per_clip=per_clip,
        pool=pool,
        undefined="no clip was scored",
        note=note,
        clip_value=pool.of_clip,
    )
