"""In sync: how often does Synchformer find sound and picture in step, within 0.2 s.

Share of the windows of DeSync (the first and the last 4.8 s of the first 8 s of each clip) whose likeliest offset is
-0.2, 0 or 0.2 s. A mean of sizes mixes few clips that are far off with many that are a little off; this counts.

Direction: higher is better. Range 0 to 100. Unit: %.
Blind to the sign, to offsets under 0.1 s and to what the sound is; an offset drawn blindly from the 21 scores 14 %.
Undefined: no clip of 8 s or more was scored; shorter ones do not apply and are counted.
Sources: ours, on the logits of av-benchmark@050a5cd av_bench/evaluate.py; tolerance of one class as in
Synchformer@b66668a.
Changes: 1 first version.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import scalar
from foleybench.metrics._families.offsets import NEEDS, SOURCE, UNDEFINED, likeliest
from foleybench.stats.pools import Ratio

# One class, and half of one for rounding.
WITHIN_S = 0.3
POOL = Ratio("within", ("windows",), factor=100.0)


def _per_clip(clip: ClipView) -> Stat | None:
    offsets = likeliest(clip)
    if not len(offsets):
        return None
    n_within = np.count_nonzero(np.abs(offsets) < WITHIN_S)
    return {"within": scalar(float(n_within)), "windows": scalar(float(len(offsets)))}


METRIC = Metric(
    title="In sync",
    version=1,
    unit="%",
    better="higher",
    ideal=100.0,
    worst=0.0,
    source=f"foleybench, on {SOURCE}",
    needs=NEEDS,
    per_clip=_per_clip,
    pool=POOL,
    undefined=UNDEFINED,
    clip_value=POOL.of_clip,
)
