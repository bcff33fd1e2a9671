"""Protocol ``paper``: the metrics of the Foley-Flow paper's Table 1, with the published evaluators."""

from __future__ import annotations

from foleybench.protocols import Protocol

PROTOCOL = Protocol(
    title="Paper",
    version=1,
    description=(
        "The columns of Table 1 with the published evaluators: KLD on PaSST, FAD on VGGish, speed. Align Acc with the "
        "published classifier comes with the full harness, not yet. Needs weights: `foleybench weights fetch`."
    ),
    metrics=("kld_passt", "fad_vggish", "seconds_per_clip", "real_time_factor"),
    headline={"semantics": "kld_passt", "quality": "fad_vggish", "speed": "real_time_factor"},
    quotes={"KLD (PaSST)": "kld_passt", "FAD (VGGish)": "fad_vggish"},
    length_tolerance_s=0.25,
)
