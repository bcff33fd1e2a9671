"""Mel profile distance: does the clip as a whole have the real one's tone colour, whenever things happen.

Power averaged over the whole clip in 64 mel bands, in dB; each profile less its own mean (so that gain does not count);
root mean square difference over bands, averaged over clips.
A fault to know: once more than half of the bands are empty, the mean follows the empty ones, and losing still more
looks like a change of gain. A low-pass at 300 Hz is therefore nearer (16.1 dB) than one at 1 kHz (18.1 dB; 104 clips of
SynthFoley test, ``foleybench sanity``). ``logmel_distance`` keeps the order.

Direction: lower is better. Range 0 upwards. Unit: dB. Bands below -100 dB re full scale count as -100 dB.
Undefined: no clip was scored.
Sources: none; ours.
Changes: 1 first version.
"""

from __future__ import annotations

import numpy as np

from foleybench.metrics import ClipView, Metric, Need, Stat
from foleybench.metrics._features import read_pair, scalar
from foleybench.metrics._pools import Ratio

POOL = Ratio("distance_db")


def _per_clip(clip: ClipView) -> Stat | None:
    reference, generated = read_pair(clip, "reference", "generated")
    shape = (generated - generated.mean()) - (reference - reference.mean())
    return {"distance_db": scalar(float(np.sqrt(np.mean(shape**2))))}


METRIC = Metric(
    title="Mel profile distance",
    version=1,
    unit="dB",
    better="lower",
    ideal=0.0,
    source="foleybench",
    needs={
        "reference": Need(encoder="logmel", layer="profile_db", of="reference"),
        "generated": Need(encoder="logmel", layer="profile_db", of="generated"),
    },
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip was scored",
    clip_value=POOL.of_clip,
)
