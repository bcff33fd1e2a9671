"""Event F1: F1 of generated onsets against the clip's exact events.

Onsets and onset events are matched one to one within 50 ms (a pair at exactly 50 ms matches) and counted over all clips
together: F1 = 2 hits / (onsets + events). The statistics hold the counts at 25, 50, 100, 150, 200 and 300 ms.

Events that are audible but off screen cannot be known from the video: an onset there counts neither for nor against.
Silent events are not expected to sound. Clips without an event that is both visible and audible, and data without
events, do not apply. Silence misses every event: 0. The ground truth scores what the detector can do, a little under 1.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.events import event_times_s
from foleybench.metrics._families.features import read_feature
from foleybench.metrics._math.f_score import POOL, counts, curve


def _per_clip(clip: ClipView) -> Stat | None:
    wanted = event_times_s(clip, visible=True)
    generated = np.sort(read_feature(clip, "onsets"))
    if not len(wanted):
        return None
    return counts(wanted, generated, event_times_s(clip, visible=False))


METRIC = Metric(
    title="Event F1 (50 ms)",
    version=1,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=0.0,
    source="mir_eval@fe73b35 onset.f_measure, micro-averaged, on exact events",
    needs={"onsets": Need(encoder="onsets", layer="times_s", of="generated")},
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip has an audible, visible onset event",
    clip_value=POOL.of_clip,
    curve=curve,
)
