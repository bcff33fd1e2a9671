"""Onset F1: F1 of the generated onsets against the reference's.

2 hits / (onsets of both), with hits matched one to one within 100 ms. A reference without onsets does not apply;
silence scores 0. ``onset_agreement`` counts over all clips together, at 50 ms, on our own detector.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView
from foleybench.metrics._families.features import read_feature
from foleybench.metrics._families.librosa_onsets import TOLERANCE_S, librosa_metric
from foleybench.metrics._math.onset_matching import count_matches


def _value(clip: ClipView) -> float | None:
    reference, generated = np.sort(read_feature(clip, "reference")), np.sort(read_feature(clip, "generated"))
    if not len(reference):
        return None
    return 2.0 * count_matches(reference, generated, TOLERANCE_S) / (len(reference) + len(generated))


METRIC = librosa_metric(
    _value,
    title="Onset F1 (100 ms)",
    source="mir_eval@fe73b35 onset.f_measure, averaged over clips, on librosa's onsets",
)
