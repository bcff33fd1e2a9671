"""Clipping share: how much more of the sound stands at full scale than of the real one.

Share of the samples whose magnitude is at least 0.99, less the reference's share where that is smaller: clipping that
the recording has too is not held against a system; averaged over clips.

Direction: lower is better. Range 0 to 100. Unit: %. Sound that was clipped and then made
quieter is not noticed.
Undefined: no clip was scored.
Sources: none; ours.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import difference_metric


def _beyond(reference: float, generated: float) -> float:
    return 100.0 * max(0.0, generated - reference)


METRIC = difference_metric(
    encoder="clipping",
    layer="full_scale_share",
    title="Clipping beyond the reference",
    unit="%",
    source="foleybench",
    difference=_beyond,
)
