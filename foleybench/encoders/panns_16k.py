"""PANNs Cnn14 at 16 kHz, the AudioSet tagger behind av-benchmark's FD_PANNs, KL_PANNs and IS_PANNs.

Layers:
    logits: (527,) float32: before the sigmoid, classes of AudioSet.
    embedding: (2048,) float32: after the ReLU of ``fc1``; the peers call it "2048".

16 kHz mono, mean (DC) of the clip removed, whole clip, no padding to 10 s. A sound shorter than 32 frames
(4960 samples) is zero-padded to that: with fewer the net's poolings leave nothing and the peers raise.
On a CPU sounds go through one by one, on a GPU in batches of a fixed size, so batching cannot change a bit.

Sources: Kong et al., "PANNs: Large-Scale Pretrained Audio Neural Networks for Audio Pattern Recognition", TASLP 2020;
qiuqiangkong/audioset_tagging_cnn@d2f4b8c pytorch/models.py; hkchengrex/av-benchmark@050a5cd av_bench/panns/models.py.
Changes: 1 first version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foleybench.api.encoder import Encode, Encoder
from foleybench.api.weights import Weights, require

if TYPE_CHECKING:
    from foleybench.encoders._nets.cnn14 import Cnn14

RATE_HZ = 16000

WEIGHTS = Weights(
    filename="Cnn14_16k_mAP=0.438.pth",
    url="https://zenodo.org/record/3987831/files/Cnn14_16k_mAP%3D0.438.pth",
    sha256=None,
    size_bytes=None,
    licence="CC-BY-4.0",
    n_values=81_049_500,
)


def new_net() -> Cnn14:
    """Return the network with random weights, in evaluation mode."""
    from foleybench.encoders._inputs.torchlibrosa import Grid
    from foleybench.encoders._nets import cnn14

    return cnn14.new_net(Grid(rate_hz=RATE_HZ, window=512, hop=160, low_hz=50.0, high_hz=8000.0))


def _build(device: str) -> Encode:
    path = require("panns_16k", WEIGHTS)
    from foleybench.encoders._nets import cnn14

    return cnn14.encode_with(cnn14.load(new_net(), path), device)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"logits": (527,), "embedding": (2048,)},
    licence="MIT (code), CC-BY-4.0 (weights)",
    source="qiuqiangkong/audioset_tagging_cnn@d2f4b8c",
    weights=WEIGHTS,
    build=_build,
)
