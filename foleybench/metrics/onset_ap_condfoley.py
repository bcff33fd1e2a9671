"""Onset AP (CondFoleyGen): ``onset_ap`` as CondFoleyGen's script computes it.

Average precision of the generated sound's thinned onsets by their peak, with missed onsets ranked last; averaged over
clips. Warning: with nothing detected nothing is wrong, so silence gets 1.0, as does one right onset of five. For
parity only; use ``onset_ap``. The script listens to 2 s.

Direction: higher is better. Range 0 to 1. Unit: 1.
A reference without onsets is not applicable; the script counts 0, or stops when the generated sound has none either.
Undefined: no clip has an onset to be hit.
Sources: CondFoleyGen@c565db7 predict_onset.py
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._families.librosa_onsets import condfoley_value, librosa_metric

METRIC = librosa_metric(
    condfoley_value("ap"),
    title="Onset AP (CondFoleyGen), 1 for silence",
    source="CondFoleyGen@c565db7 predict_onset.py",
    ideal=None,
    with_reference=True,
    layers=("level", "peak"),
)
