"""Class accuracy: share of clips put into their own class.

Our small SynthFoley classifier classifies the generated audio. Clips with a label outside its classes (other data sets)
do not apply. The control row of the ground truth shows the best that the classifier can do.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.encoders._nets.mini_labels import mini_class_names
from foleybench.metrics._families.features import read_feature, scalar
from foleybench.stats.pools import Ratio

POOL = Ratio("hit", counts=True)


def _per_clip(clip: ClipView) -> Stat | None:
    names = mini_class_names()
    logits = read_feature(clip, "logits")
    if clip.label not in names:
        return None
    return {"hit": scalar(float(int(np.argmax(logits)) == names.index(clip.label)))}


METRIC = Metric(
    title="Class accuracy",
    version=1,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=0.0,
    source="foleybench",
    needs={"logits": Need(encoder="mini_class", layer="logits", of="generated")},
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip has a label that the classifier knows",
    clip_value=POOL.of_clip,
)
