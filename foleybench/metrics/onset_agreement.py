"""Onset agreement: do the sounds start when those of the real sound do.

Like ``event_f1`` (one-to-one matching within 50 ms, counted over all clips together), with the onsets that the same
detector finds in the reference sound instead of exact events: for real clips, where nobody knows the events.

Direction: higher is better. Range 0 to 1. Unit: 1.
A reference without onsets is not applicable. Silence misses every onset: 0. The reference agrees with itself fully.
Undefined: the detector finds no onset in any reference.
Sources: F-measure of MIREX onset detection (mir_eval@fe73b35 onset.f_measure), micro-averaged.
Changes: 1 first version.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import read
from foleybench.metrics._math.f_score import POOL, counts, curve


def _per_clip(clip: ClipView) -> Stat | None:
    wanted, generated = np.sort(read(clip, "reference")), np.sort(read(clip, "generated"))
    return counts(wanted, generated) if len(wanted) else None


METRIC = Metric(
    title="Onset agreement (50 ms)",
    version=1,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=0.0,
    source="mir_eval@fe73b35 onset.f_measure, micro-averaged, on detected onsets",
    needs={
        "reference": Need(encoder="onsets", layer="times_s", of="reference"),
        "generated": Need(encoder="onsets", layer="times_s", of="generated"),
    },
    per_clip=_per_clip,
    pool=POOL,
    undefined="the detector finds no onset in any reference sound",
    clip_value=POOL.of_clip,
    curve=curve,
)
