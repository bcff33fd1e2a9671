"""Onset AP: average precision of the generated onsets, ranked by peak.

Generated onsets are matched to the reference's one to one within 100 ms, the clearest first. A reference without onsets
does not apply. True onsets that are missed lower the value, so silence scores 0, where CondFoleyGen's script gives 1
(``onset_ap_condfoley``).
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView
from foleybench.metrics._families.features import read_feature
from foleybench.metrics._families.librosa_onsets import librosa_metric, ranked_precision


def _value(clip: ClipView) -> float | None:
    reference = np.sort(read_feature(clip, "reference"))
    return (
        ranked_precision(reference, read_feature(clip, "generated"), read_feature(clip, "peak"))
        if len(reference)
        else None
    )


METRIC = librosa_metric(
    _value,
    title="Onset AP (100 ms)",
    source="CondFoleyGen@c565db7 predict_onset.py, with misses counted; Everingham et al., IJCV 2010",
    layers=("peak",),
)
