"""Audiobox Aesthetics: a network's guess at listeners' ratings of audio.

Layers:
    enjoyment: () float32: content enjoyment (CE).
    usefulness: () float32: content usefulness (CU).
    complexity: () float32: production complexity (PC).
    quality: () float32: production quality (PQ).

16 kHz mono, windows of 10 s one after the other, the last filled with zeros that are masked; the mean over windows,
weighted by their length. Scales go from 1 to 10, as the listeners' did; the network is not held to them. In single
precision: the package's mixed precision is never on, since it compares a type with its name. Decided here: audio
without samples is 10 s of silence, where the package divides by zero.

Never run with the published weights, which no package index carries: put ``checkpoint.pt`` of
facebookresearch/audiobox-aesthetics where the message says, or let ``weights fetch`` get it. With random weights it
gives what the package's own class gives (``benchmarks/agreement/aesthetics.py``).

Sources: Tjandra et al., "Meta Audiobox Aesthetics", arXiv 2502.05139; audiobox_aesthetics 0.0.4 infer.py, model/aes.py;
Chen et al., "WavLM", IEEE JSTSP 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foleybench.api.encoder import Encode, Encoder, Features, Signal
from foleybench.api.weights import Weights, require
from foleybench.clips import AudioArray
from foleybench.media.audio import fit_length, require_finite

if TYPE_CHECKING:
    from foleybench.encoders._nets.aesthetics import Aesthetics

RATE_HZ = 16000
N_SAMPLES = 10 * RATE_HZ
# In the order of the net's axes.
LAYERS = ("enjoyment", "usefulness", "complexity", "quality")

WEIGHTS = Weights(
    filename="audiobox_aesthetics_checkpoint.pt",
    url="https://dl.fbaipublicfiles.com/audiobox-aesthetics/checkpoint.pt",
    sha256=None,
    size_bytes=None,
    licence="CC-BY-4.0",
)


def masked_windows(audio: AudioArray) -> list[AudioArray]:
    """Return what the net is fed of audio (N,): windows (2, 160000), the samples and which of them are the clip's.

    Raises:
        FoleyError: The audio holds a sample that is not finite.
    """
    require_finite(audio)
    sound = audio if len(audio) else np.zeros(N_SAMPLES, dtype=np.float32)
    parts = [sound[start : start + N_SAMPLES] for start in range(0, len(sound), N_SAMPLES)]
    masks = [np.ones(len(part), dtype=np.float32) for part in parts]
    return [
        np.stack([fit_length(part, N_SAMPLES), fit_length(mask, N_SAMPLES)])
        for part, mask in zip(parts, masks, strict=True)
    ]


def encode_with(net: Aesthetics, device: str) -> Encode:
    """Return the ``encode`` of the encoder with this net."""
    from foleybench.encoders._inputs.batches import in_batches

    net = net.to(device)

    def encode_one(signal: Signal) -> Features:
        fed = masked_windows(signal.audio)
        rows = in_batches(fed, lambda both: (net(both[:, 0], both[:, 1].sum(dim=1)),), device, gpu_batch=4)
        rated = np.average([row[0] for row in rows], axis=0, weights=[window[1].sum() for window in fed])
        return dict(zip(LAYERS, rated.astype(np.float32), strict=True))

    def encode(signals: Sequence[Signal]) -> list[Features]:
        return [{name: np.asarray(value) for name, value in encode_one(signal).items()} for signal in signals]

    return encode


def _build(device: str) -> Encode:
    path = require("aesthetics", WEIGHTS)
    from foleybench.encoders._nets.aesthetics import load_weights

    return encode_with(load_weights(path), device)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers=dict.fromkeys(LAYERS, ()),
    licence="CC-BY-4.0; WavLM MIT",
    source="audiobox_aesthetics 0.0.4; arXiv 2502.05139",
    weights=WEIGHTS,
    build=_build,
)
