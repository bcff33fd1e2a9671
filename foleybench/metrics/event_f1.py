"""Event F1: do the sounds start when the events happen.

Onsets detected in the generated sound against the exact times of the clip's onset events, matched one to one within
50 ms (a pair at exactly 50 ms matches), counted over all clips together: F1 = 2 hits / (onsets + events). The
statistics hold the counts at 25, 50, 100, 150, 200 and 300 ms, from which ``curve`` makes the tolerance curve.

Direction: higher is better. Range 0 to 1. Unit: 1.
Events that are heard but not seen (off screen) cannot be known from the picture: an onset there counts neither for nor
against. Silent events are not expected to sound. Clips without an event that is both seen and heard, and data without
events, are not applicable. Silence misses every event: 0.
The ground truth scores what the detector can do, a little under 1; the control row says how much.
Undefined: no clip has an onset event.
Sources: F-measure of MIREX onset detection (mir_eval@fe73b35 onset.f_measure), micro-averaged.
Changes: 1 first version.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import read
from foleybench.metrics._math.f_score import POOL, counts, curve


def event_times_s(clip: ClipView, *, visible: bool) -> FloatArray:
    """Return the sorted times of the audible onset events that are (or are not) in the picture, shape (n,)."""
    chosen = [e.time_s for e in clip.events or () if e.kind == "onset" and e.audible and e.visible == visible]
    return np.sort(np.asarray(chosen, dtype=np.float64))


def _per_clip(clip: ClipView) -> Stat | None:
    wanted = event_times_s(clip, visible=True)
    generated = np.sort(read(clip, "onsets"))
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
