"""Onset F1: does the generated sound have the real sound's onsets, all of them and no others.

2 hits / (onsets of both sounds), with hits matched one to one within 100 ms, averaged over clips; both found by
librosa's detector (``delta=0.3``, encoder ``onsets_librosa``), as papers do. ``onset_agreement`` asks the same with
our own detector at 50 ms, over all clips together.

Direction: higher is better. Range 0 to 1. Unit: 1.
A reference without onsets is not applicable. Silence hits nothing: 0.
Undefined: no reference sound has an onset.
Sources: F-measure of MIREX onset detection (mir_eval@fe73b35 onset.f_measure), averaged over clips.
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
    if not len(reference):
        return None
    return 2.0 * count_matches(reference, generated, TOLERANCE_S) / (len(reference) + len(generated))


METRIC = librosa_metric(
    _value,
    title="Onset F1 (100 ms)",
    source="mir_eval@fe73b35 onset.f_measure, averaged over clips, on librosa's onsets",
    ideal=1.0,
    with_reference=True,
)
