"""Protocol ``stable_audio``: what stable-audio-metrics computes on PaSST."""

from __future__ import annotations

from foleybench.api.protocol import Frontend, Protocol

PROTOCOL = Protocol(
    title="stable-audio-metrics",
    version=1,
    description=(
        "The KLD of Stability-AI/stable-audio-metrics@fd55536: peak at -1 dBFS, windows of 10 s every 5 s, logits "
        "averaged. Where it is faulty: the direction is KL(generated || reference), not anybody else's; one silent "
        "file makes the whole number NaN; ids that fail are printed and left out of a mean that does not say so. Here "
        "the direction is kept for parity under a name of its own, silence is silence, and left-out clips are counted. "
        "Its Fréchet distance on OpenL3 is not offered."
    ),
    metrics=("kld_passt_reversed",),
    headline={"semantics": "kld_passt_reversed"},
    quotes={"KLD (PaSST)": "kld_passt_reversed"},
    frontend=Frontend(resampler="soxr_hq"),
    length_tolerance_s=0.25,
)
