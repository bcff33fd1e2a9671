"""PE-AV's embedding of a sound: what ``imagebind_audio`` is for, maintained and free for commercial use (Apache-2.0).

Layers:
    embedding: (1024,) float32: not of unit length; the model's own logit is the dot product with the other modality's,
        times a learned scale, plus a learned bias, so cosines are ours, not the authors'.

48 kHz mono, filled up by reflection to a multiple of 1920 samples (40 ms), the whole clip at once. The size is
``pe-av-large-16-frame``.

Sources: Vyas et al., "Pushing the Frontier of Audiovisual Perception with Large-Scale Multimodal Correspondence
Learning", arXiv 2512.19687; transformers 5.23 ``PeAudioVideoModel``.
Changes: 1 first version.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foleybench.api.encoder import Encode, Encoder, Features, Signal
from foleybench.api.weights import Weights, require

if TYPE_CHECKING:
    from torch import nn

WEIGHTS = Weights(
    filename="pe-av-large-16-frame.safetensors",
    url="https://huggingface.co/facebook/pe-av-large-16-frame/resolve/main/model.safetensors",
    sha256=None,
    size_bytes=None,
    licence="Apache-2.0",
)


def encode_with(net: nn.Module, device: str) -> Encode:
    """Return the ``encode`` of the encoder with this tower."""
    from foleybench.encoders._inputs.batches import in_batches
    from foleybench.encoders._nets.pe_av import padded

    net = net.to(device)

    def encode(signals: Sequence[Signal]) -> list[Features]:
        return [{"embedding": row} for (row,) in in_batches([padded(s.audio) for s in signals], net, device)]

    return encode


def _build(device: str) -> Encode:
    path = require("pe_av_audio", WEIGHTS)
    from foleybench.encoders._nets import pe_av

    return encode_with(pe_av.load(pe_av.SoundTower, path), device)


ENCODER = Encoder(
    version=1,
    rate_hz=48000,
    layers={"embedding": (1024,)},
    licence="Apache-2.0",
    source="transformers 5.23 PeAudioVideoModel; arXiv 2512.19687",
    weights=WEIGHTS,
    build=_build,
)
