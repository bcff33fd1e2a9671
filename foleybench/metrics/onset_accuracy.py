"""Onset accuracy: how many of the real sound's onsets does the generated sound hit.

Share of the onsets of the reference sound that have an onset of the generated sound within 100 ms, matched one to one,
averaged over clips; both found by librosa's detector (``delta=0.3``, encoder ``onsets_librosa``), as papers do.

Direction: higher is better. Range 0 to 1. Unit: 1. Extra onsets cost nothing: read it beside ``onset_f1`` and
``onset_ap``. A reference without onsets is not applicable. Silence hits nothing: 0.
Differs on purpose from ``onset_accuracy_condfoley``: detected onsets are not thinned, and the largest matching is
counted.
Undefined: no reference sound has an onset.
Sources: CondFoleyGen@c565db7 predict_onset.py (the question); the matching is ours.
Changes: 1 first version.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView
from foleybench.metrics._families.features import read
from foleybench.metrics._families.librosa_onsets import TOLERANCE_S, librosa_metric
from foleybench.metrics._math.onset_matching import count_matches


def _value(clip: ClipView) -> float | None:
    reference, generated = np.sort(read(clip, "reference")), np.sort(read(clip, "generated"))
    return count_matches(reference, generated, TOLERANCE_S) / len(reference) if len(reference) else None


METRIC = librosa_metric(
    _value,
    title="Onset accuracy (100 ms)",
    source="CondFoleyGen@c565db7 predict_onset.py, matched one to one",
    ideal=1.0,
    with_reference=True,
)
