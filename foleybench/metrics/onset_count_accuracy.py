"""Onset count accuracy: does the generated sound have as many onsets as the real one.

Share of clips in which librosa's detector (``delta=0.3``, encoder ``onsets_librosa``) finds equally many onsets in
both sounds: the "# onset accuracy" of CondFoleyGen and FoleyCrafter.

Direction: higher is better. Range 0 to 1. Unit: 1. It says nothing about when they are.
Two sounds without onsets agree: 1.
Undefined: no clip was scored.
Sources: CondFoleyGen@c565db7 predict_onset.py.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView
from foleybench.metrics._families.features import read
from foleybench.metrics._families.librosa_onsets import librosa_metric


def _value(clip: ClipView) -> float:
    return float(len(read(clip, "reference")) == len(read(clip, "generated")))


METRIC = librosa_metric(
    _value,
    title="Onset count accuracy",
    source="CondFoleyGen@c565db7 predict_onset.py",
    ideal=1.0,
    with_reference=True,
)
