"""Align Acc: does Diff-Foley's classifier take the sound to be aligned with the picture.

Share of clips whose generated sound has a probability above 0.5 (``torch.round`` takes 0.5 itself to 0). Diff-Foley
samples the classifier's latent; this takes its mean, so the same sound always has the same value. ``align_acc_parity``
samples.

Direction: higher is better. Range 0 to 100. Unit: %.
It only counts positives: a classifier that says yes to everything scores 100. So it means something only beside the
control rows (ground truth, shifted by 0.1, 0.5, 1 and 2 s, another clip): a value above that of the shifted truth says
that time was heard, one above that of another clip says that the matter was. It saturates (published values lie above
the accuracy that its authors recall for it), it looks at the first 8.2 s only, and it judges by the CAVP features that
some systems are conditioned on.
Undefined: no clip of 8.2 s or more was scored; shorter ones do not apply and are counted.
Sources: Diff-Foley@0ba1e8a evaluation/align_acc.py.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import Metric, Need
from foleybench.metrics._families.alignment import POOL, per_clip

METRIC = Metric(
    title="Align Acc",
    version=1,
    unit="%",
    better="higher",
    ideal=100.0,
    worst=0.0,
    source="Diff-Foley@0ba1e8a evaluation/align_acc.py, on the mean of the latent",
    needs={"probability": Need(encoder="diff_foley_align", layer="probability", of="generated")},
    per_clip=per_clip,
    pool=POOL,
    undefined="no clip of 8.2 s or more was scored",
    clip_value=POOL.of_clip,
)
