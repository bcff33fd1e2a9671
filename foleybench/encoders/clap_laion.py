"""LAION-CLAP's embedding of a sound (``music_speech_audioset_epoch_15_esc_89.98``), as av-benchmark makes it.

Layers:
    embedding: (512,) float32: of unit length. Its cosine with a caption's (``clap_laion_text``) is the CLAP score; the
        sound's alone serve distances between sets and between a sound and its reference.

48 kHz mono, mean (DC) removed; repeated as often as it fits whole into 10 s, then filled with zeros. Decided here: of
a longer sound the first 10 s, where the peer takes a random part; a sound without samples is silence, where it raises.
On a CPU sounds go through one by one, on a GPU in batches of a fixed size, so batching cannot change a bit.

Sources: Wu et al., "Large-Scale Contrastive Language-Audio Pretraining with Feature Fusion and Keyword-to-Caption
Augmentation", ICASSP 2023; LAION-AI/CLAP@1fd4c37; hkchengrex/av-benchmark@050a5cd av_bench/extract.py.
Changes: 1 first version.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foleybench.api.encoder import Encode, Encoder, Features, Signal
from foleybench.api.weights import Weights, require
from foleybench.clips import AudioArray
from foleybench.encoders._inputs.spectra import without_dc
from foleybench.media.audio import fit_length

if TYPE_CHECKING:
    from foleybench.encoders._nets.htsat import SoundTower

RATE_HZ = 48000
N_SAMPLES = 10 * RATE_HZ

WEIGHTS = Weights(
    filename="music_speech_audioset_epoch_15_esc_89.98.pt",
    url="https://huggingface.co/lukewys/laion_clap/resolve/main/music_speech_audioset_epoch_15_esc_89.98.pt",
    sha256=None,
    size_bytes=None,
    licence="CC0-1.0",
    n_values=200_064_474,
)


def prepared(audio: AudioArray) -> AudioArray:
    """Return the 480000 samples that the net is fed of a sound (N,) at 48 kHz."""
    sound = without_dc(audio)
    repeats = max(1, N_SAMPLES // len(sound)) if len(sound) else 1
    return fit_length(np.tile(sound, repeats), N_SAMPLES)


def encode_with(net: SoundTower, device: str) -> Encode:
    """Return the ``encode`` of the encoder with this tower."""
    from foleybench.encoders._inputs.batches import in_batches

    net = net.to(device)

    def encode(signals: Sequence[Signal]) -> list[Features]:
        inputs = [prepared(signal.audio) for signal in signals]
        return [{"embedding": row} for (row,) in in_batches(inputs, lambda sounds: (net(sounds),), device)]

    return encode


def _build(device: str) -> Encode:
    path = require("clap_laion", WEIGHTS)
    from foleybench.encoders._nets import htsat

    return encode_with(htsat.load(htsat.new_net(), path), device)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"embedding": (512,)},
    licence="CC0-1.0",
    source="LAION-AI/CLAP@1fd4c37",
    weights=WEIGHTS,
    build=_build,
)
