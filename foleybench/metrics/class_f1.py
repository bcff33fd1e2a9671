"""Class F1: agreement of the classes heard with those that sound.

Our small SynthFoley classifier hears a class in the generated audio where its probability is above one third. What
should be heard are the classes of the clip's audible events, on screen or off. Hits, misses and false alarms are
counted over all clips together (micro average).

Two sources of one class count once, and when they sound does not matter. A weak source beside a loud one is often
missed, so the true audio stays below 1: the row of the ground truth shows the best that can be had.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.encoders._nets.mini_labels import SOUNDS
from foleybench.metrics._families.features import scalar
from foleybench.metrics._families.heard import heard_classes
from foleybench.stats.pools import Ratio

POOL = Ratio("tp", ("n_heard", "n_sounding"), factor=2.0, counts=True)


def _per_clip(clip: ClipView) -> Stat | None:
    found = heard_classes(clip)
    if found is None:
        return None
    heard = found.logits > SOUNDS
    return {
        "tp": scalar(float((heard & found.sounding).sum())),
        "n_heard": scalar(float(heard.sum())),
        "n_sounding": scalar(float(found.sounding.sum())),
    }


METRIC = Metric(
    title="Class F1",
    version=1,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=0.0,
    source="scikit-learn f1_score(average='micro'), on mini_class",
    needs={"logits": Need(encoder="mini_class", layer="logits", of="generated")},
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip has a sounding class that the classifier knows",
    clip_value=POOL.of_clip,
)
