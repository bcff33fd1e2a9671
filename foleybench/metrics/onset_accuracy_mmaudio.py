"""Onset accuracy (MMAudio): onset accuracy on exact events, as MMAudio's script for Greatest Hits computes it.

Share of the true onsets that find one of the generated sound's thinned onsets closer than 0.3 s; averaged over clips.
One number, 0.3, is both the detector's threshold and the tolerance in seconds: three times CondFoleyGen's, so the two
do not compare. For parity only; use ``event_f1``.

Direction: higher is better. Range 0 to 1. Unit: 1.
Clips without audible onset events in the first 8 s, and data without events, are not applicable.
Undefined: no clip has an onset to be hit.
Sources: MMAudio@974010a eval_onsets.py
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._families.librosa_onsets import librosa_metric, mmaudio_value

METRIC = librosa_metric(
    mmaudio_value("accuracy"),
    title="Onset accuracy (MMAudio)",
    source="MMAudio@974010a eval_onsets.py",
    ideal=None,
    with_reference=False,
    layers=("wave", "wave_peak"),
)
