"""Source recall: share of each source's events that are heard.

Each source of a clip counts once: the share of its visible, audible onset events with a generated onset within 25 ms
(one to one within the source), averaged over all sources. A system that plays only the busiest of three sources has a
fair event F1 and a third of this.

Blind spot: additional sounds cost nothing. A click every 50 ms has 1.000 on the 1,026 test clips of SynthFoley 2, and
an event F1 at 25 ms of .13 (``python benchmarks/ruler.py clicks``). So no system is ranked by it: read it beside
``event_f1_25ms``.
"""

from __future__ import annotations

import math

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.events import events_by_source
from foleybench.metrics._families.features import read_feature, scalar
from foleybench.metrics._math.onset_matching import count_matches
from foleybench.stats.pools import Ratio

TOLERANCE_S = 0.025
POOL = Ratio("recalls", ("n_sources",))


def _per_clip(clip: ClipView) -> Stat | None:
    generated = np.sort(read_feature(clip, "onsets"))
    sources = events_by_source(clip)
    if not sources:
        return None
    recalls = [count_matches(times_s, generated, TOLERANCE_S) / len(times_s) for times_s in sources.values()]
    return {"recalls": scalar(math.fsum(recalls)), "n_sources": scalar(len(recalls))}


METRIC = Metric(
    title="Source recall",
    version=1,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=0.0,
    source="foleybench",
    needs={"onsets": Need(encoder="onsets", layer="times_s", of="generated")},
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip has an audible, visible onset event",
    unranked="additional sounds cost nothing",
    clip_value=POOL.of_clip,
)
