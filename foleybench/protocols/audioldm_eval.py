"""Protocol ``audioldm_eval``: what audioldm_eval computes with Cnn14: AudioLDM, Frieren and others."""

from __future__ import annotations

from foleybench.api.protocol import Frontend, Protocol

PROTOCOL = Protocol(
    title="audioldm_eval",
    version=2,
    description=(
        "The numbers of haoheliu/audioldm_eval@8dc07ee with backbone cnn14: first channel only, DC removed, "
        "torchaudio's resampling function (a float32 filter), 1e-6 added in KL. Where it is faulty: its default "
        "backbone since 2024 is MERT, whose hidden states it treats as logits, so that KL is near 0.01 and IS near 1; "
        "one broken file ends the embedding of all later ones; under 99 % of matching names KL is -1; its 'KL sigmoid' "
        "is half a divergence and unbounded. Here only Cnn14 is offered, broken and missing files are named and left "
        "out, and names match exactly. Its KID is commented out and absent."
    ),
    metrics=("fd_panns", "fad_vggish", "kld_panns_eps", "kl_sigmoid_panns_eps", "kld_passt_eps", "is_panns"),
    headline={"semantics": "kld_panns_eps", "quality": "fad_vggish"},
    quotes={
        "FAD (VGGish)": "fad_vggish",
        "FD (PANNs)": "fd_panns",
        "KLD (PANNs)": "kld_panns_eps",
        "KLD (PaSST)": "kld_passt_eps",
        "IS (PANNs)": "is_panns",
    },
    frontend=Frontend(channels="first", remove_mean=True, resampler="torchaudio_float32"),
    length_tolerance_s=0.25,
)
