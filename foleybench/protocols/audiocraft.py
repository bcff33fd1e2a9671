"""Protocol ``audiocraft``: what audiocraft computes for AudioGen, MusicGen and FoleyGen."""

from __future__ import annotations

from foleybench.api.protocol import Frontend, Protocol

PROTOCOL = Protocol(
    title="audiocraft",
    version=1,
    description=(
        "The numbers of facebookresearch/audiocraft@896ec7c: KLD on PaSST over unpadded segments of 10 s with 1e-6 "
        "added, FAD by Google's original code on peak-scaled audio with half-overlapping windows. Where it is "
        "faulty: silent files are divided by zero and lost with a line in the log, and long clips count once a "
        "segment. Here silence stays silence and is named; segments are weighted as there, for parity."
    ),
    metrics=("kld_passt_segments", "fad_vggish_google"),
    headline={"semantics": "kld_passt_segments", "quality": "fad_vggish_google"},
    quotes={"KLD (PaSST)": "kld_passt_segments", "FAD (VGGish)": "fad_vggish_google"},
    frontend=Frontend(resampler="julius"),
    length_tolerance_s=0.25,
)
