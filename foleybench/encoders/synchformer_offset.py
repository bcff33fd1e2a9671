"""Synchformer's offset between audio and video, for DeSync.

Layers:
    windows: (2, 21) float32: logits of the offsets -2.0, -1.8, ... 2.0 s, for the first and for the last 14 of the 24
        segments (4.8 s each); of shape (0, 21) for clips shorter than 8 s, which av-benchmark leaves out.

A positive offset means that the audio comes early, a negative one that it lags (Synchformer@b66668a README).

Sources: Iashin et al., "Synchformer", ICASSP 2024; hkchengrex/av-benchmark@050a5cd av_bench/evaluate.py.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import require
from foleybench.encoders._nets.synchformer import LICENCE, N_SEGMENTS, SOURCE, WEIGHTS, load_weights

N_OFFSETS = 21
WINDOW = 14


def _build(device: str) -> Encode:
    import torch

    net = load_weights(require("synchformer_offset", WEIGHTS))
    # The towers are run by the encoders that this one comes after.
    net.vfeat_extractor = net.afeat_extractor = None  # type: ignore[assignment]
    net.to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        video, audio = (
            torch.from_numpy(np.asarray(signal.features[name]["segments"], dtype=np.float32)).to(device)
            for name in ("synchformer_video", "synchformer_audio")
        )
        if min(len(video), len(audio)) < N_SEGMENTS:
            return {"windows": np.zeros((0, N_OFFSETS), dtype=np.float32)}
        first, last = slice(None, WINDOW), slice(-WINDOW, None)
        logits = net.offsets(torch.stack([video[first], video[last]]), torch.stack([audio[first], audio[last]]))
        return {"windows": logits.float().cpu().numpy()}

    return one_by_one(encode_one)


ENCODER = Encoder(
    version=1,
    # It uses no audio itself; the field must hold a rate.
    rate_hz=16000,
    modality="features",
    layers={"windows": (ANY, N_OFFSETS)},
    after=("synchformer_video", "synchformer_audio"),
    licence=LICENCE,
    source=SOURCE,
    weights=WEIGHTS,
    build=_build,
)
