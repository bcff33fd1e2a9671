"""Onset accuracy: share of the reference's onsets that are hit.

A hit is a generated onset within 100 ms, matched one to one. Extra onsets cost nothing: read the value beside
``onset_f1`` and ``onset_ap``. A reference without onsets does not apply; silence scores 0.

Unlike ``onset_accuracy_condfoley``, the metric keeps all detected onsets and counts the largest matching.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView
from foleybench.metrics._families.features import read_feature
from foleybench.metrics._families.librosa_onsets import TOLERANCE_S, librosa_metric
from foleybench.metrics._math.onset_matching import count_matches


def _value(clip: ClipView) -> float | None:
    reference, generated = np.sort(read_feature(clip, "reference")), np.sort(read_feature(clip, "generated"))
    return count_matches(reference, generated, TOLERANCE_S) / len(reference) if len(reference) else None


METRIC = librosa_metric(
    _value,
    title="Onset accuracy (100 ms)",
    source="CondFoleyGen@c565db7 predict_onset.py, matched one to one",
)
