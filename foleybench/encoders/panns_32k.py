"""PANNs Cnn14 at 32 kHz, the AudioSet tagger usually meant.

Layers:
    logits: (527,) float32: before the sigmoid, classes of AudioSet.
    embedding: (2048,) float32: after the ReLU of ``fc1``; the peers call it "2048".

Most work except av-benchmark means this network by PANNs.

Sources: Kong et al., "PANNs: Large-Scale Pretrained Audio Neural Networks for Audio Pattern Recognition", TASLP 2020;
qiuqiangkong/audioset_tagging_cnn@d2f4b8c pytorch/models.py.
"""

from __future__ import annotations

from foleybench.api.weights import PINNED_BY, Weights
from foleybench.encoders._inputs.spectra import MelGrid
from foleybench.encoders._nets.panns import panns_encoder

GRID = MelGrid(rate_hz=32000, window=1024, hop=320, n_bands=64, low_hz=50.0, high_hz=14000.0)
WEIGHTS = Weights(
    filename="Cnn14_mAP=0.431.pth",
    url="https://zenodo.org/record/3987831/files/Cnn14_mAP%3D0.431.pth",
    sha256="0dc499e40e9761ef5ea061ffc77697697f277f6a960894903df3ada000e34b31",
    size_bytes=327_428_481,
    licence="CC-BY-4.0",
    n_values=81_853_340,
    reported_by=PINNED_BY,
)

ENCODER = panns_encoder("panns_32k", grid=GRID, weights=WEIGHTS)
