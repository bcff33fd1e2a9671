"""Strength correlation: are harder hits louder?

Pearson's correlation of 20 log10 of each event's strength with the generated sound's peak level from 5 ms before the
event to 30 ms after it, over the visible, audible onset events of clips that have three or more, each clip around its
own mean: overall loudness does not matter, differences within a clip do.

Several sources at once keep even the true audio below 1 (.82 on all 1,026 test clips of SynthFoley 2). One event in
twenty missing takes .84 to .35 (513 clips, of which it applies to 328; ``benchmarks/results/ladders.md``): silence lies
far below the softest hit, so read it beside ``source_recall``. One level all along gives 0.

Blind spot: faster is louder in the picture, too. A mixture of training clips whose level follows the largest change
between frames, and knows nothing of what moves, has .30 on the 1,026 test clips of SynthFoley 2, as the best
models there, which have .31 (``foleybench eval --model motion_babble``).
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.events import audible_onsets
from foleybench.metrics._families.features import read_feature
from foleybench.metrics._math.correlation import WithinClipCorrelation, products

FEWEST_EVENTS = 3
BEFORE_S, AFTER_S = 0.005, 0.03
_STEP_S = 0.005
POOL = WithinClipCorrelation()


def _per_clip(clip: ClipView) -> Stat | None:
    levels = read_feature(clip, "levels")
    events = [event for event in audible_onsets(clip, visible=True) if event.strength > 0.0]
    if len(events) < FEWEST_EVENTS or len({event.strength for event in events}) == 1:
        return None
    strengths = 20.0 * np.log10([event.strength for event in events])
    return products(strengths, np.array([_peak_db(levels, event.time_s) for event in events]))


def _peak_db(levels: np.ndarray, time_s: float) -> float:
    first = int(np.clip((time_s - BEFORE_S) / _STEP_S, 0, len(levels) - 1))
    last = max(first + 1, round((time_s + AFTER_S) / _STEP_S))
    return float(levels[first:last].max())


METRIC = Metric(
    title="Strength correlation",
    version=1,
    unit="1",
    better="higher",
    ideal=None,
    best=1.0,
    worst=-1.0,
    source="foleybench",
    needs={"levels": Need(encoder="peak_levels", layer="peak_db", of="generated")},
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip has three audible, visible onset events of different strengths",
    clip_value=POOL.of_clip,
)
