"""Onset count accuracy: share of clips with equally many onsets.

The "# onset accuracy" of CondFoleyGen and FoleyCrafter. The times of the onsets do not matter. Two clips without onsets
agree: 1.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView
from foleybench.metrics._families.features import read_feature
from foleybench.metrics._families.librosa_onsets import librosa_metric


def _value(clip: ClipView) -> float:
    return float(len(read_feature(clip, "reference")) == len(read_feature(clip, "generated")))


METRIC = librosa_metric(
    _value,
    title="Onset count accuracy",
    source="CondFoleyGen@c565db7 predict_onset.py",
)
