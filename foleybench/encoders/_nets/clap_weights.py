"""LAION-CLAP's published file, for the encoders of audio and of captions."""

from __future__ import annotations

from foleybench.api.weights import Weights

# music_speech_audioset_epoch_15_esc_89.98
WEIGHTS = Weights(
    filename="music_speech_audioset_epoch_15_esc_89.98.pt",
    url="https://huggingface.co/lukewys/laion_clap/resolve/main/music_speech_audioset_epoch_15_esc_89.98.pt",
    sha256=None,
    size_bytes=None,
    licence="CC0-1.0",
    n_values=200_064_474,
)
