"""Align Acc (trained): share of clips your own classifier judges aligned.

The classifier is the one that ``foleybench train align-classifier`` made; its file states the error rates on each
control row of the validation split. Two values compare only if the same weights made them: their hash is in the result.
"""

from __future__ import annotations

from foleybench.metrics._families.alignment import alignment_metric

METRIC = alignment_metric(
    encoder="align_trained",
    title="Align Acc (trained)",
    source="Diff-Foley@0ba1e8a evaluation/align_acc.py, on align_trained",
    undefined="no clip has a video long enough for the classifier",
)
