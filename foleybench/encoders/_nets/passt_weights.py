"""PaSST's published file and the audio that fits it, without torch."""

from __future__ import annotations

from foleybench.api.weights import Weights

RATE_HZ = 32000
N_SAMPLES = 10 * RATE_HZ

WEIGHTS = Weights(
    filename="passt-s-f128-p16-s10-ap.476-swa.pt",
    url="https://github.com/kkoutini/PaSST/releases/download/v0.0.1-audioset/passt-s-f128-p16-s10-ap.476-swa.pt",
    sha256=None,
    size_bytes=None,
    licence="Apache-2.0",
    n_values=86_153_758,
)
