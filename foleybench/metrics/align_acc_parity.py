"""Align Acc (sampled): does Diff-Foley's classifier take the sound to be aligned with the picture, as its script asks.

As ``align_acc``, but from one draw of the latent, as Diff-Foley's script does, with a generator of seed 0 for each
clip. The script has one generator for the whole list, so its value for a clip changes with the clip's place in the
list; the draws here have the same distribution and no order. To have its very draws, give the list to
``foleybench.encoders.diff_foley_align.as_published``.

Direction: higher is better. Range 0 to 100. Unit: %.
Blind to the same things as ``align_acc``: read it beside the control rows.
Undefined: no clip of 8.2 s or more was scored; shorter ones do not apply and are counted.
Sources: Diff-Foley@0ba1e8a evaluation/align_acc.py.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import Metric, Need
from foleybench.metrics._families.alignment import POOL, per_clip

METRIC = Metric(
    title="Align Acc (sampled)",
    version=1,
    unit="%",
    better="higher",
    ideal=100.0,
    worst=0.0,
    source="Diff-Foley@0ba1e8a evaluation/align_acc.py",
    needs={"probability": Need(encoder="diff_foley_align", layer="probability_sampled", of="generated")},
    per_clip=per_clip,
    pool=POOL,
    undefined="no clip of 8.2 s or more was scored",
    clip_value=POOL.of_clip,
)
