"""Level correlation: does the sound get louder and quieter when the real one does.

Pearson correlation of the two loudness curves (RMS level in dB every 10 ms), averaged over clips.

Direction: higher is better. Range -1 to 1. Unit: 1. Gain does not change it (above the floor of -80 dB).
A generated sound whose level never changes, silence for one, follows nothing: 0. A reference whose level never changes
gives nothing to follow: not applicable.
Undefined: no reference changes its level.
Sources: none; ours.
Changes: 1 first version.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import read_pair, scalar
from foleybench.stats.pools import Ratio

POOL = Ratio("correlation")

# A curve that moves by less than this (standard deviation in dB) is constant: its correlation would be rounding noise.
CONSTANT_DB = 1e-6


def _per_clip(clip: ClipView) -> Stat | None:
    reference, generated = read_pair(clip, "reference", "generated")
    if reference.std() < CONSTANT_DB:
        return None
    if generated.std() < CONSTANT_DB:
        return {"correlation": scalar(0.0)}
    one, two = reference - reference.mean(), generated - generated.mean()
    correlation = float(one @ two / np.sqrt((one @ one) * (two @ two)))
    return {"correlation": scalar(min(1.0, max(-1.0, correlation)))}


METRIC = Metric(
    title="Level correlation",
    version=1,
    unit="1",
    better="higher",
    ideal=1.0,
    source="foleybench",
    needs={
        "reference": Need(encoder="envelope", layer="level_db", of="reference"),
        "generated": Need(encoder="envelope", layer="level_db", of="generated"),
    },
    per_clip=_per_clip,
    pool=POOL,
    undefined="no reference sound changes its level",
    clip_value=POOL.of_clip,
)
