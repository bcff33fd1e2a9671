"""Make metrics that compare two-channel audio between left and right."""

from __future__ import annotations

import math
from collections.abc import Callable

from foleybench.api.metric import Metric
from foleybench.clips import FloatArray
from foleybench.metrics._families.differences import difference_metric

# Mean square of both channels below which audio is silent: -80 dB re full scale.
SILENT = 1e-8
NOTE = (
    "Where the real audio has one channel the metric does not apply: take its files, or shards made with `--channels "
    "keep`. Generated audio of one channel is heard on both sides: all systems of one channel have the same value, "
    "silence aside. More channels than two do not apply."
)
_SILENCE = (
    "Real audio below -80 dB re full scale does not apply; silence in place of a sound is as far away as there is."
)


def width(powers: FloatArray) -> float:
    """Return the share of power in the difference of left and right.

    Args:
        powers: Means of left squared, right squared, and left times right, shape (3,), not all zero.

    Returns:
        0 when both sides are equal, 0.5 when they have nothing in common, 1 when one is the other turned over.
    """
    left, right, both = map(float, powers)
    return (left + right - 2 * both) / (2 * (left + right))


def balance(powers: FloatArray) -> float:
    """Return the power of the right less that of the left, as a share of both: -1 left to 1 right; as ``width``."""
    left, right, _ = map(float, powers)
    return (right - left) / (left + right)


def correlation(powers: FloatArray) -> float:
    """Return the correlation of left and right, -1 to 1, and 0 where one of them is silent; as ``width``."""
    left, right, both = map(float, powers)
    if min(left, right) <= 0:
        return 0.0
    return max(-1.0, min(1.0, both / math.sqrt(left * right)))


def stereo_metric(measure: Callable[[FloatArray], float], *, title: str, worst: float) -> Metric:
    """Return the metric of how far a measure of the generated audio is from that of the real audio.

    Args:
        measure: Takes ``stereo.powers`` of audio that is not silent.
        title: Column heading.
        worst: Largest possible difference, which silence is given.
    """

    def apart(reference: FloatArray, generated: FloatArray) -> float | None:
        if reference[0] + reference[1] < SILENT:
            return None
        if generated[0] + generated[1] < SILENT:
            return worst
        return abs(measure(generated) - measure(reference))

    return difference_metric(
        apart,
        encoder="stereo",
        layer="powers",
        title=title,
        unit="1",
        source="foleybench",
        worst=worst,
        note=f"{NOTE} {_SILENCE}",
        undefined="no clip has two channels of real audio with sound",
    )
