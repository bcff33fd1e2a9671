"""Make metrics on the audio-video offsets that Synchformer finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import read_feature, scalar
from foleybench.stats.pools import Ratio

# Synchformer's classes stand for offsets from -2 to 2 s.
LARGEST_S = 2.0
_NOTE = (
    "Synchformer judges two windows of each clip: the first and the last 4.8 s of the first 8 s. Shorter clips do not "
    "apply and are counted. Offsets of 21 classes from -2 to 2 s, 0.2 s apart; the metric does not see their sign, nor "
    "what the audio is."
)


def grid(n: int) -> FloatArray:
    """Return the offsets in seconds that n classes stand for.

    Example:
        >>> grid(5).tolist()
        [-2.0, -1.0, 0.0, 1.0, 2.0]
    """
    return np.linspace(-LARGEST_S, LARGEST_S, n)


def likeliest(logits: FloatArray) -> FloatArray:
    """Return the likeliest offset of each window in seconds, shape (windows,), from logits (windows, classes)."""
    return np.asarray(grid(logits.shape[1])[logits.argmax(axis=1)])


def expected_size(logits: FloatArray) -> FloatArray:
    """Return the expected size of each window's offset in seconds over the softmax, from logits (windows, classes)."""
    likelihood = np.exp(logits - logits.max(axis=1, keepdims=True))
    likelihood /= likelihood.sum(axis=1, keepdims=True)
    return np.asarray(likelihood @ np.abs(grid(logits.shape[1])))


def offset_metric(
    sums: Callable[[FloatArray], Mapping[str, float]],
    *,
    statistic: str,
    title: str,
    source: str,
    unit: str = "s",
    better: Literal["higher", "lower"] = "lower",
    ideal: float = 0.0,
    worst: float = LARGEST_S,
    factor: float = 1.0,
) -> Metric:
    """Return the metric that averages a number of each window over the windows of all clips.

    Args:
        sums: From a clip's logits (windows, classes), one window or more, to its statistics: ``statistic`` summed over
            the windows, and further ones for clip tables.
        statistic: Name of the averaged statistic.
        title: Column heading.
        source: Paper or ``repo@commit`` that defines the metric.
        unit: Unit of the value.
        better: Which direction is better.
        ideal: Value of a perfect system.
        worst: Value at the other end of the scale.
        factor: Multiplies the mean.
    """
    pool = Ratio(statistic, ("windows",), factor=factor, counts=unit == "%")

    def per_clip(clip: ClipView) -> Stat | None:
        logits = read_feature(clip, "windows")
        if not len(logits):
            return None
        found = {name: scalar(value) for name, value in sums(logits).items()}
        return found | {"windows": scalar(float(len(logits)))}

    return Metric(
        title=title,
        version=1,
        unit=unit,
        better=better,
        ideal=ideal,
        worst=worst,
        source=source,
        needs={"windows": Need(encoder="synchformer_offset", layer="windows", of="generated")},
        per_clip=per_clip,
        pool=pool,
        undefined="no clip has a video of 8 s or more",
        note=_NOTE,
        clip_value=pool.of_clip,
    )
