"""CAVP's video features, on which Diff-Foley and its classifier depend.

Layers:
    frames: (T, 512) float32: one feature per frame at 4 frames a second, of unit length.

SlowOnly ResNet-50 on frames squeezed to 224 x 224 (PIL, bilinear, the aspect is not kept), values in [0, 1], in chunks
of 40 frames (10 s), each of which goes in alone; a projection to 512 and L2 normalisation per frame. Features of a
frame depend on nine frames to either side, so cutting the clip changes those near the cut: VGGSound's own clips of 10 s
are one chunk.

What differs from Diff-Foley: its script has ffmpeg re-encode the video to 4 frames a second with lossy H.264 before it
reads it. Here the same frames (the rule of ffmpeg's ``fps`` filter) are taken from the shard by their timestamps
and not compressed again. Features that were made by its script can be scored as they are with
``diff_foley_align.as_published``.

Sources: Luo et al., "Diff-Foley", NeurIPS 2023; luosiallen/Diff-Foley@0ba1e8a inference/demo_util.py and
inference/model/.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import PINNED_BY, Weights, require
from foleybench.clips import FrameArray
from foleybench.encoders._inputs.frame_rate import frames_at

if TYPE_CHECKING:
    from foleybench.encoders._nets.cavp_nets import Cavp

RATE_HZ = 4.0
SIDE_PX = 224
CHUNK = 40

WEIGHTS = Weights(
    filename="cavp_epoch66.ckpt",
    url="https://huggingface.co/SimianLuo/Diff-Foley/resolve/main/diff_foley_ckpt/cavp_epoch66.ckpt",
    sha256="3472c2217a9481f530a96e32611c9e4611766f10b7f0d185a1ce35be7b7f9c80",
    size_bytes=1_361_483_035,
    licence="Apache-2.0",
    reported_by=PINNED_BY,
)


def new_net() -> Cavp:
    """Return the network with random weights, in evaluation mode."""
    from foleybench.encoders._inputs.loading import with_random_weights
    from foleybench.encoders._nets.cavp_nets import Cavp

    return with_random_weights(Cavp)


def load_weights(path: Path) -> Cavp:
    """Return the network with the weights of an official file.

    Raises:
        FoleyError: The file does not hold exactly the tensors of this architecture.
    """
    from foleybench.encoders._inputs.loading import load_whole

    return load_whole(new_net, path, inside="state_dict", without="module.")


def squeezed(frames: FrameArray) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return frames (T, H, W, 3) uint8 as the net is fed them: (T, 3, 224, 224) float32 in [0, 1]."""
    from PIL import Image

    made = [
        np.asarray(Image.fromarray(frame).resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)) for frame in frames
    ]
    return np.ascontiguousarray(np.stack(made).transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)


def _build(device: str) -> Encode:
    import torch

    net = load_weights(require("cavp_video", WEIGHTS)).to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        frames = torch.from_numpy(squeezed(frames_at(signal, RATE_HZ)))
        # One clip at a time: forty frames fill a batch, and its neighbours cannot change a bit.
        features = net.in_chunks([chunk.to(device) for chunk in torch.split(frames, CHUNK)])
        return {"frames": features.float().cpu().numpy()}

    return one_by_one(encode_one)


ENCODER = Encoder(
    version=1,
    # It uses no audio; the field must hold a rate.
    rate_hz=16000,
    modality="video",
    layers={"frames": (ANY, 512)},
    licence="Apache-2.0",
    source="luosiallen/Diff-Foley@0ba1e8a inference/model/cavp_model.py",
    weights=WEIGHTS,
    build=_build,
)
