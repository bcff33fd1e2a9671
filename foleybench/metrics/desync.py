"""DeSync: by how much are sound and picture out of step, as Synchformer judges.

Mean size of the offset that Synchformer finds between the generated sound and the clip's picture, over the first and
the last 4.8 s of the first 8 s; the likeliest of 21 offsets from -2 to 2 s. As av-benchmark computes it, so the figure
of MMAudio and those who follow it. The clip table keeps the signed mean too (positive: the sound comes early).

Direction: lower is better. Range 0 to 2. Unit: s.
It goes in steps of 0.2 s and is blind to the sign, to offsets under 0.1 s and over 2 s, and to what the sound is.
Real sound does not score 0, since the network errs: read it beside the control rows (ground truth, shifted).
Undefined: no clip of 8 s or more was scored; shorter ones do not apply and are counted.
Sources: av-benchmark@050a5cd av_bench/evaluate.py; Iashin et al., "Synchformer", ICASSP 2024.
Changes: 1 first version.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import scalar
from foleybench.metrics._families.offsets import NEEDS, SOURCE, UNDEFINED, likeliest
from foleybench.stats.pools import Ratio

POOL = Ratio("offset", ("windows",))


def _per_clip(clip: ClipView) -> Stat | None:
    offsets = likeliest(clip)
    if not len(offsets):
        return None
    return {
        "offset": scalar(float(np.abs(offsets).sum())),
        "windows": scalar(float(len(offsets))),
        "signed_mean": scalar(float(offsets.mean())),
    }


METRIC = Metric(
    title="DeSync",
    version=1,
    unit="s",
    better="lower",
    ideal=0.0,
    source=SOURCE,
    needs=NEEDS,
    per_clip=_per_clip,
    pool=POOL,
    undefined=UNDEFINED,
    clip_value=POOL.of_clip,
)
