"""Align Acc (mini): share of clips our small net judges aligned.

The net was trained on SynthFoley to separate true pairs from shifted audio and from audio of other clips, also of the
same class. Audio without changes in time, such as steady noise, has no time to be aligned to. Values do not compare
with those of Diff-Foley's Align Acc.

Changes: 2 has the net of SynthFoley 2. Version 3 of its encoder sees videos of more than 25 frames a second at their
own time (50 were seen 20 ms early); up to 25 all values are as before, to the bit.
"""

from __future__ import annotations

from foleybench.metrics._families.alignment import alignment_metric

METRIC = alignment_metric(
    encoder="mini_align",
    title="Align Acc (mini)",
    source="Diff-Foley@0ba1e8a evaluation/align_acc.py, on mini_align",
    undefined="no clip has a video long enough for the classifier",
    version=2,
)
