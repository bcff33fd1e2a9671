"""Synchformer's audio features, for DeSync.

Layers:
    segments: (S, 6, 768) float32: six features per segment of 0.64 s, a segment every 0.32 s, S = 24 for 8 s and more,
        fewer for shorter clips.

16 kHz mono, nothing subtracted; per segment a power mel spectrogram (FFT 1024, window 400, hop 160, 128 HTK bands),
``log(x + 1e-6)``, its 65 frames padded to 66 with zeros, then ``(x + 4.2677393) / (2 * 4.5689974)``. The zeros come
before the scaling, so the last frame is not silence but a loud constant: that is what av-benchmark feeds and what its
figures come from.

Sources: Iashin et al., "Synchformer", ICASSP 2024; hkchengrex/av-benchmark@050a5cd av_bench/extract.py and
av_bench/synchformer/.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import require
from foleybench.clips import AudioArray
from foleybench.encoders._nets.synchformer import LICENCE, SOURCE, WEIGHTS, load_weights, segment_starts
from foleybench.media.audio import require_finite

if TYPE_CHECKING:
    from torch import Tensor

RATE_HZ = 16000
LENGTH, HOP = 10240, 5120
N_FRAMES = 66
MEAN, DEVIATION = -4.2677393, 4.5689974


@functools.cache
def _mel() -> Any:
    from torchaudio.transforms import MelSpectrogram

    return MelSpectrogram(sample_rate=RATE_HZ, n_fft=1024, win_length=400, hop_length=160, n_mels=128)


def spectrograms_of(audio: AudioArray) -> Tensor:
    """Return the spectrograms of the audio's segments, (S, 128, 66), from samples (N,) at 16 kHz."""
    import torch

    require_finite(audio)
    cut = [audio[start : start + LENGTH] for start in segment_starts(len(audio), LENGTH, HOP)]
    if not cut:
        return torch.zeros(0, 128, N_FRAMES)
    with torch.autocast("cpu", enabled=False):
        level = torch.log(_mel()(torch.from_numpy(np.stack(cut))) + 1e-6)
    padded = torch.nn.functional.pad(level, (0, N_FRAMES - level.shape[2]))
    return (padded - MEAN) / (2 * DEVIATION)


def _build(device: str) -> Encode:
    import torch

    net = load_weights(require("synchformer_audio", WEIGHTS)).afeat_extractor.to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        segments = spectrograms_of(signal.audio)
        if not len(segments):
            return {"segments": np.zeros((0, 6, net.ast.layernorm.normalized_shape[0]), dtype=np.float32)}
        return {"segments": net(segments.to(device)).float().cpu().numpy()}

    # One clip at a time: its segments fill a batch, and its neighbours cannot change a bit.
    return one_by_one(encode_one)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"segments": (ANY, 6, 768)},
    licence=LICENCE,
    source=SOURCE,
    weights=WEIGHTS,
    build=_build,
)
