"""Silence share: is as much of the clip silent as of the real one.

Share of the 10 ms steps whose level is below -60 dB re full scale (25 ms around each), its absolute difference from the
reference's share, averaged over clips.

Direction: lower is better. Range 0 to 100. Unit: %. Sound where there should be none and
silence where there should be sound weigh the same; when, it does not ask.
Undefined: no clip was scored.
Sources: none; ours.
Changes: 1 first version.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import both, read_pair, scalar
from foleybench.stats.pools import Ratio

POOL = Ratio("difference", factor=100.0)
SILENT_DB = -60.0


def _per_clip(clip: ClipView) -> Stat:
    reference, generated = (float(np.mean(level < SILENT_DB)) for level in read_pair(clip, "reference", "generated"))
    return {"difference": scalar(abs(generated - reference))}


METRIC = Metric(
    title="Silent share difference",
    version=1,
    unit="%",
    better="lower",
    ideal=0.0,
    source="foleybench",
    needs=both("envelope", "level_db"),
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip was scored",
    clip_value=POOL.of_clip,
)
