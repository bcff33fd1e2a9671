"""PE-AV's embedding of video, from 16 frames.

Layers:
    embedding: (1024,) float32: not of unit length; ``pe_av_audio`` says how to compare the two.

The frames are evenly spaced by number from the first to the last, each squeezed to 336 x 336 (bilinear, the aspect is
not kept), in [-1, 1]. The size is ``pe-av-large-16-frame``, which was trained on 16 frames.

Sources: as for ``pe_av_audio``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foleybench.api.encoder import Encode, Encoder
from foleybench.api.weights import require
from foleybench.encoders._inputs.frame_rate import frames_of
from foleybench.encoders._nets.pe_av_weights import WEIGHTS

if TYPE_CHECKING:
    from torch import nn

_GPU_BATCH = 4


def encode_with(net: nn.Module, device: str, size: int = 336) -> Encode:
    """Return the ``encode`` of the encoder with this tower, which takes squares of ``size``."""
    from foleybench.encoders._inputs.batches import batched
    from foleybench.encoders._nets.pe_av import pe_av_frames

    return batched(
        lambda signal: pe_av_frames(frames_of(signal)[0], size), net.to(device), device, gpu_batch=_GPU_BATCH
    )


def _build(device: str) -> Encode:
    path = require("pe_av_video", WEIGHTS)
    from foleybench.encoders._nets import pe_av

    return encode_with(pe_av.load_weights(pe_av.PeVideoTower, path), device)


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
