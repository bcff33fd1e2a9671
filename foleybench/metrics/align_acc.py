"""Align Acc: share of clips that Diff-Foley's classifier judges aligned.

A clip counts when the probability that its generated audio belongs to the video, in time, is above 0.5 (``torch.round``
takes 0.5 itself to 0). Diff-Foley samples the classifier's latent; here the mean of the latent is used, so that the
same audio always has the same value. ``align_acc_parity`` samples.

The value saturates: published values lie above the accuracy that the authors recall for the classifier. It depends on
the first 8.2 s only (shorter clips do not apply and are counted), and on the CAVP features that some systems are
conditioned on.
"""

from __future__ import annotations

from foleybench.metrics._families.alignment import alignment_metric

METRIC = alignment_metric(
    encoder="diff_foley_align",
    title="Align Acc",
    source="Diff-Foley@0ba1e8a evaluation/align_acc.py, on the mean of the latent",
    undefined="no clip has a video of 8.2 s or more",
)
