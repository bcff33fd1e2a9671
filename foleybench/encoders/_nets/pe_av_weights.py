"""Name PE-AV's published file, for its audio and video encoders."""

from __future__ import annotations

from foleybench.api.weights import Weights

WEIGHTS = Weights(
    filename="pe-av-large-16-frame.safetensors",
    url="https://huggingface.co/facebook/pe-av-large-16-frame/resolve/main/model.safetensors",
    sha256=None,
    size_bytes=None,
    licence="Apache-2.0",
)
