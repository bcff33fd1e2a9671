"""Protocol ``align_trained``: alignment by a classifier of your own."""

from __future__ import annotations

from foleybench.api.protocol import Protocol

PROTOCOL = Protocol(
    title="Alignment, own classifier",
    version=1,
    description=(
        "Align Acc by a classifier that `foleybench train align-classifier` made; set FOLEYBENCH_WEIGHTS to its run "
        "folder. For data and machines without the published classifier. Run it with --controls first: a classifier "
        "that accepts shifted or another clip's audio measures neither timing nor content."
    ),
    metrics=("align_acc_trained", "onset_agreement"),
    headline={"timing": "align_acc_trained"},
    length_tolerance_s=0.25,
)
