"""Name ImageBind's published file, for its audio and video encoders."""

from __future__ import annotations

from foleybench.api.weights import PINNED_BY, Weights

LICENCE = "CC-BY-NC-SA-4.0 (weights)"
SOURCE = "facebookresearch/ImageBind@53680b0; hkchengrex/av-benchmark@050a5cd"

WEIGHTS = Weights(
    filename="imagebind_huge.pth",
    url="https://dl.fbaipublicfiles.com/imagebind/imagebind_huge.pth",
    sha256="d6f6c22bedcc90708448d5d2fbb7b2db9c73f505dc89bd0b2e09b23af1b62157",
    size_bytes=4_803_584_173,
    licence="CC-BY-NC-SA-4.0",
    n_values=1_200_786_990,
    reported_by=PINNED_BY,
)
