"""Event offset: how far from its event does a sound start, where it starts at all.

Onsets detected in the generated sound are paired with the exact times of the clip's onset events within 300 ms, by the
cheapest pairing in which leaving a time alone costs 150 ms (so an extra onset does not shift its neighbours). The value
is the mean absolute offset over all pairs of all clips; ``bias`` gives the signed mean (positive: late).

Direction: lower is better. Range 0 to 0.3. Unit: s.
It says nothing about events that were missed: read it beside ``event_f1``. The same clips apply as there. Onsets that
are explained better by an event that is heard but not seen are left out.
Undefined: no onset lies within 300 ms of an event.
Sources: none; ours.
Changes: 1 first version.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import read, scalar
from foleybench.metrics._math.onset_matching import nearest_pairs
from foleybench.metrics.event_f1 import event_times_s
from foleybench.stats.pools import Ratio

WINDOW_S = 0.3
POOL = Ratio("absolute_s", ("n_pairs",))


def bias(stats: Sequence[Stat]) -> float:
    """Return the signed mean offset in seconds, positive when the sound is late; NaN for no pairs."""
    return Ratio("signed_s", ("n_pairs",))(stats)


def _per_clip(clip: ClipView) -> Stat | None:
    wanted = event_times_s(clip, visible=True)
    generated = np.sort(read(clip, "onsets"))
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
    source="foleybench",
    needs={"onsets": Need(encoder="onsets", layer="times_s", of="generated")},
    per_clip=_per_clip,
    pool=POOL,
    undefined="no generated onset lies within 300 ms of an event",
    clip_value=POOL.of_clip,
)
