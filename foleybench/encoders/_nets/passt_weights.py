"""Name PaSST's published file and its input length, without torch."""

from __future__ import annotations

from foleybench.api.weights import PINNED_BY, Weights

RATE_HZ = 32000
N_SAMPLES = 10 * RATE_HZ

WEIGHTS = Weights(
    filename="passt-s-f128-p16-s10-ap.476-swa.pt",
    url="https://github.com/kkoutini/PaSST/releases/download/v0.0.1-audioset/passt-s-f128-p16-s10-ap.476-swa.pt",
    sha256="302903fa8c4aee817b11dc982da0b29aaf8d11a3e722420476d0a12c9db70c2c",
    size_bytes=344_665_734,
    licence="Apache-2.0",
    n_values=86_153_758,
    reported_by=PINNED_BY,
)
