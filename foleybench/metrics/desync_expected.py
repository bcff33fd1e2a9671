"""DeSync (expected): by how much are sound and picture out of step, without the jump to the likeliest offset.

As DeSync, but for each window the expectation of the offset's size over Synchformer's softmax instead of the size of
its likeliest offset. It moves with the network's doubt, so it tells systems apart that DeSync's steps of 0.2 s do not,
and two offsets that are nearly as likely do not make it jump. Compares with no published figure.

Direction: lower is better. Range 0 to 2. Unit: s.
A network in doubt gives a middling value (1.05 s when all offsets are as likely), so real sound is well above 0: read
it beside the control rows.
Undefined: no clip of 8 s or more was scored; shorter ones do not apply and are counted.
Sources: ours, on the logits of av-benchmark@050a5cd av_bench/evaluate.py.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import scalar
from foleybench.metrics._families.offsets import NEEDS, SOURCE, UNDEFINED, expected_size
from foleybench.stats.pools import Ratio

POOL = Ratio("offset", ("windows",))


def _per_clip(clip: ClipView) -> Stat | None:
    sizes = expected_size(clip)
    if not len(sizes):
        return None
    return {"offset": scalar(float(sizes.sum())), "windows": scalar(float(len(sizes)))}


METRIC = Metric(
    title="DeSync (expected)",
    version=1,
    unit="s",
    better="lower",
    ideal=0.0,
    source=f"foleybench, on {SOURCE}",
    needs=NEEDS,
    per_clip=_per_clip,
    pool=POOL,
    undefined=UNDEFINED,
    clip_value=POOL.of_clip,
)
