"""PE-AV's embedding of audio, maintained and free for commercial use.

Layers:
    embedding: (1024,) float32: not of unit length; the model's own logit is the dot product with the video's, times a
        learned scale, plus a learned bias, so cosines are ours, not the authors'.

48 kHz mono, filled up by reflection to a multiple of 1920 samples (40 ms), the whole clip at once. The size is
``pe-av-large-16-frame``; the licence Apache-2.0.

Sources: Vyas et al., "Pushing the Frontier of Audiovisual Perception with Large-Scale Multimodal Correspondence
Learning", arXiv 2512.19687; transformers 5.23 ``PeAudioVideoModel``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foleybench.api.encoder import Encode, Encoder
from foleybench.api.weights import require
from foleybench.encoders._nets.pe_av_weights import WEIGHTS

if TYPE_CHECKING:
    from torch import nn


def encode_with(net: nn.Module, device: str) -> Encode:
    """Return the ``encode`` of the encoder with this tower."""
    from foleybench.encoders._inputs.batches import batched
    from foleybench.encoders._nets.pe_av import padded_audio

    return batched(lambda signal: padded_audio(signal.audio), net.to(device), device)


def _build(device: str) -> Encode:
    path = require("pe_av_audio", WEIGHTS)
    from foleybench.encoders._nets import pe_av

    return encode_with(pe_av.load_weights(pe_av.PeAudioTower, path), device)


ENCODER = Encoder(
    version=1,
    rate_hz=48000,
    layers={"embedding": (1024,)},
    licence="Apache-2.0",
    source="transformers 5.23 PeAudioVideoModel; arXiv 2512.19687",
    weights=WEIGHTS,
    build=_build,
)
