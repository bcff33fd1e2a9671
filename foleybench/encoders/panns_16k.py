"""PANNs Cnn14 at 16 kHz, the AudioSet tagger of av-benchmark.

Layers:
    logits: (527,) float32: before the sigmoid, classes of AudioSet.
    embedding: (2048,) float32: after the ReLU of ``fc1``; the peers call it "2048".

av-benchmark's FD_PANNs, KL_PANNs and IS_PANNs use this network: hkchengrex/av-benchmark@050a5cd
av_bench/panns/models.py.

Sources: Kong et al., "PANNs: Large-Scale Pretrained Audio Neural Networks for Audio Pattern Recognition", TASLP 2020;
qiuqiangkong/audioset_tagging_cnn@d2f4b8c pytorch/models.py.
"""

from __future__ import annotations

from foleybench.api.weights import PINNED_BY, Weights
from foleybench.encoders._inputs.spectra import MelGrid
from foleybench.encoders._nets.panns import panns_encoder

GRID = MelGrid(rate_hz=16000, window=512, hop=160, n_bands=64, low_hz=50.0, high_hz=8000.0)
WEIGHTS = Weights(
    filename="Cnn14_16k_mAP=0.438.pth",
    url="https://zenodo.org/record/3987831/files/Cnn14_16k_mAP%3D0.438.pth",
    sha256="e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6",
    size_bytes=358_668_570,
    licence="CC-BY-4.0",
    n_values=81_049_500,
    reported_by=PINNED_BY,
)

ENCODER = panns_encoder("panns_16k", grid=GRID, weights=WEIGHTS)
