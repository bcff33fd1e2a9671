"""Clipping share: samples at full scale beyond those of the reference.

Share of the samples whose magnitude is at least 0.99, less the reference's share: clipping that the recording has too
is not held against a system. Audio that was clipped and then made quieter is not noticed.
"""

from __future__ import annotations

from foleybench.clips import FloatArray
from foleybench.metrics._families.differences import difference_metric


def _beyond(reference: FloatArray, generated: FloatArray) -> float:
    return 100.0 * max(0.0, float(generated) - float(reference))


METRIC = difference_metric(
    _beyond,
    encoder="clipping",
    layer="full_scale_share",
    title="Clipping beyond the reference",
    unit="%",
    worst=100.0,
    source="foleybench",
)
