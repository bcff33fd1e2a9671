"""Protocol ``signal``: agreement with the real audio, without weights."""

from __future__ import annotations

from foleybench.api.protocol import Protocol

PROTOCOL = Protocol(
    title="Signal",
    version=2,
    description=(
        "Compares generated with real audio by onsets, level, loudness, spectrum and band, and by the clipped and the "
        "silent share. No weights, no exact events: for any clips, offline. The protocol rewards agreement with one "
        "recording, not plausibility."
    ),
    metrics=(
        *("onset_agreement", "level_correlation", "level_difference", "loudness_difference"),
        *("logmel_distance", "mel_profile_distance", "spectral_centroid_difference", "bandwidth_difference"),
        *("clipping_share", "silence_share"),
    ),
    headline={"timing": "onset_agreement", "quality": "mel_profile_distance"},
    length_tolerance_s=0.25,
)
