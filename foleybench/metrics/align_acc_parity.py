"""Align Acc (sampled): ``align_acc`` with one sampled latent a clip.

Diff-Foley's script has one random generator for the whole list, so its value for a clip changes with the clip's place
in the list. Here each clip has a generator of seed 0: the same distribution, without an order. For the script's own
draws, give the list to ``foleybench.encoders.diff_foley_align.as_published``.
"""

from __future__ import annotations

from foleybench.metrics._families.alignment import alignment_metric

METRIC = alignment_metric(
    encoder="diff_foley_align",
    layer="probability_sampled",
    title="Align Acc (sampled)",
    source="Diff-Foley@0ba1e8a evaluation/align_acc.py",
    undefined="no clip has a video of 8.2 s or more",
)
