"""Protocol ``paper``: Table 1 of the Foley-Flow paper."""

from __future__ import annotations

from foleybench.api.protocol import Protocol

PROTOCOL = Protocol(
    title="Paper",
    version=2,
    description=(
        "The columns of Table 1 with the published evaluators: KLD on PaSST, FAD on VGGish, Align Acc with "
        "Diff-Foley's classifier (on the mean of its latent, so that it is the same every time), speed. Needs weights: "
        "`foleybench weights fetch`."
    ),
    metrics=("kld_passt", "fad_vggish", "align_acc", "seconds_per_clip", "real_time_factor"),
    headline={
        "timing": "align_acc",
        "semantics": "kld_passt",
        "quality": "fad_vggish",
        "speed": "real_time_factor",
    },
    quotes={"KLD (PaSST)": "kld_passt", "FAD (VGGish)": "fad_vggish", "Align Acc (Diff-Foley)": "align_acc"},
    length_tolerance_s=0.25,
)
