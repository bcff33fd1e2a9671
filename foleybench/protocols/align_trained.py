"""Protocol ``align_trained``: alignment by a classifier of your own."""

from __future__ import annotations

from foleybench.api.protocol import Protocol

PROTOCOL = Protocol(
    title="Alignment, own classifier",
    version=1,
    description=(
        "Align Acc by a classifier that `foleybench train align-classifier` made; set FOLEYBENCH_WEIGHTS to its run "
        "folder. For data and machines that cannot have the published one. Run it with --controls first: a judge that "
        "takes shifted or other sound for the true one says nothing about time or matter."
    ),
    metrics=("align_acc_trained", "onset_agreement"),
    headline={"timing": "align_acc_trained"},
    length_tolerance_s=0.25,
)
