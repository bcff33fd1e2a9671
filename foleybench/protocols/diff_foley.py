"""Protocol ``diff_foley``: Align Acc as Diff-Foley's script computes it."""

from __future__ import annotations

from foleybench.api.protocol import Frontend, Protocol

PROTOCOL = Protocol(
    title="Diff-Foley",
    version=2,
    description=(
        "Align Acc of luosiallen/Diff-Foley@0ba1e8a: the share of clips that its classifier takes as aligned. Where it "
        "is faulty: it samples a latent from one generator for the whole list, so a clip's verdict depends on the "
        "order of the folder; it counts positives alone, so a classifier that always says yes has 100 %; its loader "
        "accepts wrong weights in silence. Here each clip has its own draw (align_acc_parity), the mean of the latent "
        "stands beside it (align_acc), weights load strictly, and `--controls` shows what shifted and swapped audio "
        "scores. Its IS, FID and KL on Melception are not offered: they convert spectrograms with loss. "
        "The resampler is that of the versions that it pins (librosa 0.8, resampy 0.2.2): a table, 0.3 % off in level."
    ),
    metrics=("align_acc_parity", "align_acc"),
    headline={"timing": "align_acc_parity"},
    quotes={"Align Acc (Diff-Foley)": "align_acc_parity"},
    frontend=Frontend(resampler="resampy"),
    length_tolerance_s=0.25,
)
