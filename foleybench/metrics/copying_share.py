"""Copying share: share of the generated audio that is training audio.

Of all audible windows of 128 ms, the share whose waveform occurs in the training audio at any level (normalised
cross-correlation of at least 0.97). Copied audio has the Fréchet distance of true audio: read the two together. No
protocol asks for it, since it needs an index of the training audio; where a result has it
(``foleybench eval --protocol synth --metric copying_share``) tables show it beside the Fréchet distances. Training
audio is that of the split that ``foleybench train copying-index`` was given.

A lower bound: what went through a vocoder, was stretched, or lies under other audio as loud has another waveform.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.encoders._inputs.audio_index import COPIED
from foleybench.metrics._families.features import read_feature, scalar
from foleybench.stats.pools import Ratio

_POOL = Ratio("copied", ("windows",), factor=100.0, counts=True)


def _per_clip(clip: ClipView) -> Stat | None:
    found = read_feature(clip, "correlation")
    if not len(found):
        return None
    return {"copied": scalar(float(np.sum(found >= COPIED))), "windows": scalar(float(len(found)))}


METRIC = Metric(
    title="Copying share",
    version=1,
    unit="%",
    better="lower",
    ideal=0.0,
    worst=100.0,
    source="foleybench",
    needs={"correlation": Need(encoder="training_match", layer="correlation", of="generated")},
    per_clip=_per_clip,
    pool=_POOL,
    clip_value=_POOL.of_clip,
    undefined="no clip has audible generated audio",
    unranked="what went through a vocoder is not found, so a network's zero is no merit",
    beside="fad_",
)
