"""Onset AP: do the generated sound's clearest onsets hit those of the real sound first.

Average precision of the generated sound's onsets, ranked by their peak, against the onsets of the reference sound:
matched one to one within 100 ms, the clearest first; averaged over clips. Onsets by librosa's detector
(``delta=0.3``, encoder ``onsets_librosa``).

Direction: higher is better. Range 0 to 1. Unit: 1.
A reference without onsets is not applicable. Silence hits nothing: 0.
Differs on purpose from ``onset_ap_condfoley``: true onsets that are missed lower it, so silence gets 0 where the peer's
script gives it 1.
Undefined: no reference sound has an onset.
Sources: CondFoleyGen@c565db7 predict_onset.py (the question); average precision of detection, Everingham et al., IJCV
2010.
Changes: 1 first version.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView
from foleybench.metrics._families.features import read
from foleybench.metrics._families.librosa_onsets import librosa_metric, ranked_precision


def _value(clip: ClipView) -> float | None:
    reference = np.sort(read(clip, "reference"))
    return ranked_precision(reference, read(clip, "generated"), read(clip, "peak")) if len(reference) else None


METRIC = librosa_metric(
    _value,
    title="Onset AP (100 ms)",
    source="CondFoleyGen@c565db7 predict_onset.py, with misses counted",
    ideal=1.0,
    with_reference=True,
    layers=("peak",),
)
