"""PE-AV's embedding of a picture: what ``imagebind_video`` is for, maintained and free for commercial use (Apache-2.0).

Layers:
    embedding: (1024,) float32: not of unit length; the model's own logit is the dot product with the other modality's,
        times a learned scale, plus a learned bias, so cosines are ours, not the authors'.

16 frames, evenly spaced by number from the first to the last, each squeezed to 336 x 336 (bilinear, the aspect is not
kept), in [-1, 1]. The size is ``pe-av-large-16-frame``, which was trained on 16 frames.

Sources: Vyas et al., "Pushing the Frontier of Audiovisual Perception with Large-Scale Multimodal Correspondence
Learning", arXiv 2512.19687; transformers 5.23 ``PeAudioVideoModel``.
Changes: 1 first version.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foleybench.api.encoder import Encode, Encoder, Features, Signal
from foleybench.api.weights import require
from foleybench.encoders.pe_av_audio import WEIGHTS
from foleybench.errors import FoleyError

if TYPE_CHECKING:
    from torch import nn

_GPU_BATCH = 4


def encode_with(net: nn.Module, device: str, size: int = 336) -> Encode:
    """Return the ``encode`` of the encoder with this tower, which takes squares of ``size``."""
    from foleybench.encoders._inputs.batches import in_batches
    from foleybench.encoders._nets.pe_av import prepared

    net = net.to(device)

    def encode(signals: Sequence[Signal]) -> list[Features]:
        inputs = []
        for signal in signals:
            if signal.frames is None or not len(signal.frames):
                raise FoleyError(f"a clip of {signal.duration_s} s has no frames to look at; read it with its picture.")
            inputs.append(prepared(signal.frames, size))
        return [{"embedding": row} for (row,) in in_batches(inputs, net, device, gpu_batch=_GPU_BATCH)]

    return encode


def _build(device: str) -> Encode:
    path = require("pe_av_video", WEIGHTS)
    from foleybench.encoders._nets import pe_av

    return encode_with(pe_av.load(pe_av.PictureTower, path), device)


ENCODER = Encoder(
    version=1,
    rate_hz=48000,
    modality="video",
    layers={"embedding": (1024,)},
    licence="Apache-2.0",
    source="transformers 5.23 PeAudioVideoModel; arXiv 2512.19687",
    weights=WEIGHTS,
    build=_build,
)
