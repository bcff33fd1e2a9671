"""Level difference: is the sound as loud as the real one.

Absolute difference of the RMS levels of the whole clip in dB, averaged over clips.

Direction: lower is better. Range 0 to 80. Unit: dB. Levels below -80 dB count as -80 dB.
Undefined: no clip was scored.
Sources: none; ours.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import read_pair, scalar
from foleybench.stats.pools import Ratio

POOL = Ratio("difference_db")


def _per_clip(clip: ClipView) -> Stat | None:
    reference, generated = read_pair(clip, "reference", "generated")
    return {"difference_db": scalar(abs(float(generated - reference)))}


METRIC = Metric(
    title="Level difference",
    version=1,
    unit="dB",
    better="lower",
    ideal=0.0,
    source="foleybench",
    needs={
        "reference": Need(encoder="envelope", layer="mean_db", of="reference"),
        "generated": Need(encoder="envelope", layer="mean_db", of="generated"),
    },
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip was scored",
    clip_value=POOL.of_clip,
)
