"""LAION-CLAP's embedding of audio, as av-benchmark makes it.

Layers:
    embedding: (512,) float32: of unit length. Its cosine with a caption's (``clap_laion_text``) is the CLAP score; that
        with the reference's is ``clap_audio_score``.

48 kHz mono, mean (DC) removed; repeated as often as it fits whole into 10 s, then filled with zeros. Decided here: of
longer audio the first 10 s, where the peer takes a random part; audio without samples is silence, where it raises.

Sources: Wu et al., "Large-Scale Contrastive Language-Audio Pretraining with Feature Fusion and Keyword-to-Caption
Augmentation", ICASSP 2023; LAION-AI/CLAP@1fd4c37; hkchengrex/av-benchmark@050a5cd av_bench/extract.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foleybench.api.encoder import Encode, Encoder
from foleybench.api.weights import require
from foleybench.clips import AudioArray
from foleybench.encoders._inputs.spectra import without_dc
from foleybench.encoders._nets.clap_weights import WEIGHTS
from foleybench.media.audio import fit_length

if TYPE_CHECKING:
    from foleybench.encoders._nets.htsat import ClapAudioTower

RATE_HZ = 48000
N_SAMPLES = 10 * RATE_HZ


def clap_input(audio: AudioArray) -> AudioArray:
    """Return the 480000 samples that the net is fed of audio (N,) at 48 kHz."""
    centred = without_dc(audio)
    repeats = max(1, N_SAMPLES // len(centred)) if len(centred) else 1
    return fit_length(np.tile(centred, repeats), N_SAMPLES)


def encode_with(net: ClapAudioTower, device: str) -> Encode:
    """Return the ``encode`` of the encoder with this tower."""
    from foleybench.encoders._inputs.batches import batched

    net = net.to(device)
    return batched(lambda signal: clap_input(signal.audio), lambda audio: (net(audio),), device)


def _build(device: str) -> Encode:
    path = require("clap_laion", WEIGHTS)
    from foleybench.encoders._nets import htsat

    return encode_with(htsat.load_weights(htsat.new_net(), path), device)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"embedding": (512,)},
    licence="CC0-1.0",
    source="LAION-AI/CLAP@1fd4c37",
    weights=WEIGHTS,
    build=_build,
)
