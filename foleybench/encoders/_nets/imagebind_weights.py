"""ImageBind's published file, for the encoders of audio and of video."""

from __future__ import annotations

from foleybench.api.weights import Weights

LICENCE = "CC-BY-NC-SA-4.0 (weights)"
SOURCE = "facebookresearch/ImageBind@53680b0; hkchengrex/av-benchmark@050a5cd"

WEIGHTS = Weights(
    filename="imagebind_huge.pth",
    url="https://dl.fbaipublicfiles.com/imagebind/imagebind_huge.pth",
    sha256=None,
    size_bytes=None,
    licence="CC-BY-NC-SA-4.0",
    n_values=1_200_786_990,
)
