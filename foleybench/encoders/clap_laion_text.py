"""LAION-CLAP's embedding of a caption, as av-benchmark makes it.

Layers:
    embedding: (512,) float32: of unit length. Its cosine with that of audio is the CLAP score.

RoBERTa-base and two linear maps on its pooled first token, from the same checkpoint as the audio tower. Captions go
through as 77 tokens each.

Sources: Wu et al., "Large-Scale Contrastive Language-Audio Pretraining with Feature Fusion and Keyword-to-Caption
Augmentation", ICASSP 2023; LAION-AI/CLAP@1fd4c37; hkchengrex/av-benchmark@050a5cd extract_text.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foleybench.api.encoder import Encode, Encoder
from foleybench.api.weights import require
from foleybench.encoders._nets.clap_weights import WEIGHTS

if TYPE_CHECKING:
    from foleybench.encoders._nets.clap_text import TextTower

WORDS = "roberta_tokens"


def encode_with(net: TextTower, device: str) -> Encode:
    """Return the ``encode`` of the encoder with this tower."""
    from foleybench.encoders._inputs.batches import batched

    net = net.to(device)
    return batched(lambda signal: signal.features[WORDS]["tokens"], lambda tokens: (net(tokens),), device)


def _build(device: str) -> Encode:
    path = require("clap_laion_text", WEIGHTS)
    from foleybench.encoders._nets import clap_text

    return encode_with(clap_text.load_weights(clap_text.new_net(), path), device)


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
