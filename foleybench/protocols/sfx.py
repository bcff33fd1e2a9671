"""Protocol ``sfx``: a sound-effects network's metrics, and signal metrics."""

from __future__ import annotations

from foleybench.api.protocol import Protocol

PROTOCOL = Protocol(
    title="Sound effects",
    version=1,
    description=(
        "Compares generated with real audio by a network trained on professional libraries of sound effects (aiSFX, "
        "weights through pip), and by onsets, level and spectrum. For any clips. The network measures kind and "
        "quality at any loudness, but not timing, which the onsets measure. A system of narrow band is far from real "
        "audio by its band alone: read the values beside the control of 4 kHz."
    ),
    metrics=(
        *("kad_aisfx", "similarity_aisfx", "retrieval_aisfx", "retrieval_at_1_aisfx", "kld_aisfx", "fad_aisfx"),
        *("onset_agreement", "level_correlation", "level_difference", "loudness_difference"),
        *("logmel_distance", "mel_profile_distance", "spectral_centroid_difference", "bandwidth_difference"),
        *("clipping_share", "silence_share"),
    ),
    headline={"timing": "onset_agreement", "semantics": "retrieval_aisfx", "quality": "kad_aisfx"},
    length_tolerance_s=0.25,
)
