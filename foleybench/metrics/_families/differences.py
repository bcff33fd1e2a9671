"""Make metrics of the mean difference between generated and reference features."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import both, read_pair, scalar
from foleybench.stats.pools import Ratio

# None: the metric does not apply to the clip.
Difference = Callable[[FloatArray, FloatArray], float | None]
# Between the highest and the lowest frequency of encoder ``spectrum``, in Hz.
OCTAVES = math.log2(24000.0 / 70.3125)


def apart(reference: FloatArray, generated: FloatArray) -> float:
    """Return the absolute difference of two numbers, shape ()."""
    return abs(float(generated) - float(reference))


_SPECTRUM_NOTE = (
    "A silent reference has no such frequency and does not apply; silence in place of a sound is as far away as there "
    "is. Of each step of 23 Hz -110 dB re full scale is taken off (-120 dB where the band's end is sought), since not "
    "far below lies the rounding of 16-bit files; version 1 gave silence 70 Hz and measured the rounding of a quiet "
    "sound."
)


def octaves(reference: FloatArray, generated: FloatArray) -> float | None:
    """Return how many octaves two frequencies in Hz, shape (), are apart; 0 Hz stands for silence.

    Returns:
        None for a silent reference, which has no such frequency; the whole range for silence in place of audio.

    Example:
        >>> octaves(np.array(500.0), np.array(2000.0))
        2.0
        >>> octaves(np.array(500.0), np.array(0.0)) == OCTAVES, octaves(np.array(0.0), np.array(500.0))
        (True, None)
    """
    if not reference:
        return None
    if not generated:
        return OCTAVES
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
    undefined: str = "no clip was scored",
) -> Metric:
    """Return the metric that averages ``difference(reference, generated)`` of one feature over clips.

    Args:
        difference: Takes the feature of the reference and of the generated audio, both of the layer's shape.
        encoder: Encoder of the feature.
        layer: Output of the encoder.
        title: Column heading.
        unit: Unit of the value.
        source: Paper or ``repo@commit`` that defines the metric.
        version: Version of the metric.
        ideal: Value of a perfect system.
        worst: Value at the other end of the scale.
        statistic: Name of a clip's difference in clip tables.
        factor: Multiplies the mean.
        note: What the card says of every metric of a family.
        undefined: When there is no value.
    """
    pool = Ratio(statistic, factor=factor)

    def per_clip(clip: ClipView) -> Stat | None:
        found = difference(*read_pair(clip, "reference", "generated"))
        return None if found is None else {statistic: scalar(found)}

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
        undefined=undefined,
        note=note,
        clip_value=pool.of_clip,
    )


def octave_metric(layer: str, title: str) -> Metric:
    """Return the metric of a frequency of encoder ``spectrum``: how many octaves it is away."""
    return difference_metric(
        octaves,
        encoder="spectrum",
        layer=layer,
        title=title,
        unit="octave",
        worst=OCTAVES,
        source="foleybench",
        version=2,
        note=_SPECTRUM_NOTE,
        undefined="no clip has audible real audio",
    )
