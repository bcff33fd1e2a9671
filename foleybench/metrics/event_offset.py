"""Event offset: mean distance of a generated onset from its event.

Onsets are paired with exact onset events within 300 ms, by the cheapest pairing in which leaving a time alone costs 150
ms (so an extra onset does not shift its neighbours); the mean is over all pairs of all clips. The clip table also keeps
the signed sum (positive: late).

Blind spot: neither missed events nor additional sounds cost anything, and the denser the sounds are, the nearer is one
to each event. A click every 50 ms has 13 ms on the 1,026 test clips of SynthFoley 2, and an event F1 at 25 ms of .13
(``python benchmarks/ruler.py clicks``). So no system is ranked by it: read it beside ``event_f1``, which applies to the
same clips. Onsets that are nearer to an event that is audible but off screen are left out.
"""

from __future__ import annotations

import math

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.events import event_times_s
from foleybench.metrics._families.features import read_feature, scalar
from foleybench.metrics._math.onset_matching import nearest_pairs
from foleybench.stats.pools import Ratio

WINDOW_S = 0.3
POOL = Ratio("absolute_s", ("n_pairs",))


def _per_clip(clip: ClipView) -> Stat | None:
    wanted = event_times_s(clip, visible=True)
    generated = np.sort(read_feature(clip, "onsets"))
    if not len(wanted):
        return None
    unseen = event_times_s(clip, visible=False)
    if len(unseen) and len(generated):
        to_seen = np.abs(generated[:, None] - wanted).min(axis=1)
        generated = generated[to_seen <= np.abs(generated[:, None] - unseen).min(axis=1)]
    offsets = nearest_pairs(wanted, generated, WINDOW_S)
    return {
        "absolute_s": scalar(math.fsum(np.abs(offsets))),
        "signed_s": scalar(math.fsum(offsets)),
        "n_pairs": scalar(len(offsets)),
    }


METRIC = Metric(
    title="Event offset",
    version=1,
    unit="s",
    better="lower",
    ideal=0.0,
    worst=WINDOW_S,
    source="foleybench",
    needs={"onsets": Need(encoder="onsets", layer="times_s", of="generated")},
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip has a generated onset within 300 ms of an event",
    unranked="neither missed events nor additional sounds cost anything",
    clip_value=POOL.of_clip,
)
