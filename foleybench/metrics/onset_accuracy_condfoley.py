"""Onset accuracy (CondFoleyGen): ``onset_accuracy`` as CondFoleyGen's script computes it.

Share of the reference's onsets that find one of the generated sound's thinned onsets closer than 0.1 s, the loudest
at its very sample first; averaged over clips. For parity only; use ``onset_accuracy``. The script listens to 2 s.

Direction: higher is better. Range 0 to 1. Unit: 1.
A reference without onsets is not applicable; the script counts 0, or stops when the generated sound has none either.
Undefined: no clip has an onset to be hit.
Sources: CondFoleyGen@c565db7 predict_onset.py
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._families.librosa_onsets import condfoley_value, librosa_metric

METRIC = librosa_metric(
    condfoley_value("accuracy"),
    title="Onset accuracy (CondFoleyGen)",
    source="CondFoleyGen@c565db7 predict_onset.py",
    ideal=None,
    with_reference=True,
    layers=("level", "peak"),
)
