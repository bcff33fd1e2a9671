"""Align Acc (mini): does the sound belong to the picture, and in time.

Share of clips whose generated sound our small alignment net takes to belong to the clip's picture, in time:
probability above 0.5. The net was trained to tell true pairs from shifted sound and from the sound of other clips, of
the same class too. It never shares a column with Diff-Foley's Align Acc.

Direction: higher is better. Range 0 to 100. Unit: %.
The net is not perfect: read it beside the control rows (ground truth, shifted, other clip). A sound without changes in
time, such as steady noise, has no time to be aligned to.
Undefined: no clip was scored.
Sources: form of Diff-Foley@0ba1e8a evaluation/align_acc.py, on our own net, deterministic.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import read, scalar
from foleybench.stats.pools import Ratio

POOL = Ratio("aligned", factor=100.0)


def _per_clip(clip: ClipView) -> Stat | None:
    probability = float(read(clip, "probability"))
    return {"aligned": scalar(float(probability > 0.5)), "probability": scalar(probability)}


METRIC = Metric(
    title="Align Acc (mini)",
    version=1,
    unit="%",
    better="higher",
    ideal=100.0,
    worst=0.0,
    source="Diff-Foley@0ba1e8a evaluation/align_acc.py, on mini_align",
    needs={"probability": Need(encoder="mini_align", layer="probability", of="generated")},
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip was scored",
    clip_value=POOL.of_clip,
)
