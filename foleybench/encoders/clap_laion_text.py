"""LAION-CLAP's embedding of a caption (``music_speech_audioset_epoch_15_esc_89.98``), as av-benchmark makes it.

Layers:
    embedding: (512,) float32: of unit length. Its cosine with a sound's embedding is the CLAP score.

RoBERTa-base and two linear maps on its pooled first token, from the same checkpoint as the sound's tower. Captions go
through as 77 tokens each; on a CPU one by one, on a GPU in batches of a fixed size.

Sources: Wu et al., "Large-Scale Contrastive Language-Audio Pretraining with Feature Fusion and Keyword-to-Caption
Augmentation", ICASSP 2023; LAION-AI/CLAP@1fd4c37; hkchengrex/av-benchmark@050a5cd extract_text.py.
Changes: 1 first version.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foleybench.api.encoder import Encode, Encoder, Features, Signal
from foleybench.api.weights import require
from foleybench.encoders.clap_laion import WEIGHTS

if TYPE_CHECKING:
    from foleybench.encoders._nets.clap_text import TextTower

WORDS = "roberta_tokens"


def encode_with(net: TextTower, device: str) -> Encode:
    """Return the ``encode`` of the encoder with this tower."""
    from foleybench.encoders._inputs.batches import in_batches

    net = net.to(device)

    def encode(signals: Sequence[Signal]) -> list[Features]:
        inputs = [signal.features[WORDS]["tokens"] for signal in signals]
        return [{"embedding": row} for (row,) in in_batches(inputs, lambda tokens: (net(tokens),), device)]

    return encode


def _build(device: str) -> Encode:
    path = require("clap_laion_text", WEIGHTS)
    from foleybench.encoders._nets import clap_text

    return encode_with(clap_text.load(clap_text.new_net(), path), device)


ENCODER = Encoder(
    version=1,
    rate_hz=48000,
    modality="features",
    layers={"embedding": (512,)},
    after=(WORDS,),
    licence="CC0-1.0",
    source="LAION-AI/CLAP@1fd4c37",
    weights=WEIGHTS,
    build=_build,
)
