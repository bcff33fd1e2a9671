"""VGGish, the network behind the original Fréchet Audio Distance.

Layers:
    frames: (T, 128) float32: one embedding per 0.96 s without overlap, before the last ReLU, no PCA. A last patch that
        is not full is dropped, as everybody does; audio shorter than 15600 samples (0.975 s) has T = 0.

16 kHz mono, mean (DC) of the clip removed, as av-benchmark and audioldm_eval do; the spectrogram in float64, bit by bit
that of torchvggish after its cast to float32.

Sources: Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017;
harritaylor/torchvggish@f3f9096; hkchengrex/av-benchmark@050a5cd av_bench/vggish/vggish.py.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder
from foleybench.api.weights import require
from foleybench.clips import AudioArray, FloatArray
from foleybench.encoders._inputs.vggish_patches import RATE_HZ, WEIGHTS, log_mel_patches
from foleybench.media.audio import require_finite


def patches(audio: AudioArray) -> FloatArray:
    """Return the patches of a clip's audio (N,) at 16 kHz, shape (T, 96, 64)."""
    require_finite(audio)
    samples = audio.astype(np.float64)
    return log_mel_patches(samples - samples.mean() if len(samples) else samples)


def _build(device: str) -> Encode:
    path = require("vggish", WEIGHTS)
    from foleybench.encoders._nets import vggish

    return vggish.encode_with(vggish.load_weights(path), patches, device)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"frames": (ANY, 128)},
    licence="Apache-2.0",
    source="harritaylor/torchvggish@f3f9096",
    weights=WEIGHTS,
    build=_build,
)
