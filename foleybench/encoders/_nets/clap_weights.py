"""Name LAION-CLAP's published file, for its audio and caption encoders."""

from __future__ import annotations

from foleybench.api.weights import PINNED_BY, Weights

# music_speech_audioset_epoch_15_esc_89.98
WEIGHTS = Weights(
    filename="music_speech_audioset_epoch_15_esc_89.98.pt",
    url="https://huggingface.co/lukewys/laion_clap/resolve/main/music_speech_audioset_epoch_15_esc_89.98.pt",
    sha256="51c68f12f9d7ea25fdaaccf741ec7f81e93ee594455410f3bca4f47f88d8e006",
    size_bytes=2_352_471_003,
    licence="CC0-1.0",
    n_values=200_064_474,
    reported_by=PINNED_BY,
)
