"""Align Acc (trained): does a classifier of your own take the sound to be aligned with the picture.

Share of clips whose generated sound has a probability above 0.5 by the classifier that
``foleybench train align-classifier`` made. It never shares a column with Diff-Foley's Align Acc, and two values compare
only if the same weights made them: their hash is in the result.

Direction: higher is better. Range 0 to 100. Unit: %.
It only counts positives, so it means something only beside the control rows (ground truth, shifted by 0.1, 0.5, 1 and
2 s, another clip). How often the classifier errs on each is in its file, measured on the validation split.
Undefined: no clip was scored.
Sources: form of Diff-Foley@0ba1e8a evaluation/align_acc.py, on a net of your own, deterministic.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import Metric, Need
from foleybench.metrics._families.alignment import POOL, per_clip

METRIC = Metric(
    title="Align Acc (trained)",
    version=1,
    unit="%",
    better="higher",
    ideal=100.0,
    worst=0.0,
    source="Diff-Foley@0ba1e8a evaluation/align_acc.py, on align_trained",
    needs={"probability": Need(encoder="align_trained", layer="probability", of="generated")},
    per_clip=per_clip,
    pool=POOL,
    undefined="no clip was scored",
    clip_value=POOL.of_clip,
)
