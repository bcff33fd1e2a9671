"""Class accuracy: share of clips whose likeliest class sounds.

Our small SynthFoley classifier names the one class that it hears most in the generated audio. A hit is any class of the
clip's audible events, on screen or off; of clips without events it is their own class. Where it hears nothing (silence,
noise) there is no hit. Clips of classes that it does not know (other data sets) do not apply.

A system that plays one of three sources gets full marks: read it beside ``class_f1``.

Changes: 2 is of a classifier of several classes at once; version 1 knew one class a clip.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import scalar
from foleybench.metrics._families.heard import NOTHING, heard_classes
from foleybench.stats.pools import Ratio

POOL = Ratio("hit", counts=True)


def _per_clip(clip: ClipView) -> Stat | None:
    heard = heard_classes(clip)
    if heard is None:
        return None
    top = int(np.argmax(heard.logits))
    return {"hit": scalar(float(heard.sounding[top] and heard.logits[top] > NOTHING))}


METRIC = Metric(
    title="Class accuracy",
    version=2,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=0.0,
    source="foleybench",
    needs={"logits": Need(encoder="mini_class", layer="logits", of="generated")},
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip has a class that the classifier knows",
    clip_value=POOL.of_clip,
)
