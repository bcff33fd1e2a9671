"""Onset agreement: F1 of the onsets in generated and reference audio.

``event_f1`` without exact events, for real clips: the same detector finds the onsets of the reference, then one-to-one
matching within 50 ms, counted over all clips together. The start of a file is no onset, and steady audio (a tone,
noise) has none: such a reference does not apply. Silence and noise miss every onset: 0. The reference agrees with
itself.

The metric is blind where onsets are dense: beyond the tolerance lateness no longer matters, and chance hits grow with
the density.
The real audio 0.1, 0.5 and 1 s late has 0.50, 0.46, 0.49 on ten clips with 2.7 onsets a second, 0.25, 0.27, 0.33 on
eight with 2.1 (``leaderboards/pairs_stav2a.md``, ``pairs_stable_v2a.md``). Read systems beside those rows.

Changes: 2 the start of a file (its first 50 ms) no longer counts as an onset.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import read_feature
from foleybench.metrics._math.f_score import POOL, counts, curve


def _per_clip(clip: ClipView) -> Stat | None:
    wanted, generated = np.sort(read_feature(clip, "reference")), np.sort(read_feature(clip, "generated"))
    return counts(wanted, generated) if len(wanted) else None


METRIC = Metric(
    title="Onset agreement (50 ms)",
    version=2,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=0.0,
    source="mir_eval@fe73b35 onset.f_measure, micro-averaged, on detected onsets",
    needs={
        "reference": Need(encoder="onsets", layer="inner_times_s", of="reference"),
        "generated": Need(encoder="onsets", layer="inner_times_s", of="generated"),
    },
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip has an onset in its real audio that the detector finds",
    clip_value=POOL.of_clip,
    curve=curve,
)
