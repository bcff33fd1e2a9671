"""ImageBind's embedding of video, as av-benchmark makes it.

Layers:
    embedding: (1024,) float32: mean over pairs of frames and three crops of unit vectors; not of unit length itself.
        The score is the cosine with ``imagebind_audio``.

One frame every two seconds: the peer asks FFmpeg's filter ``fps=0.5``, which rounds times to the nearest, so its frame
``k`` is the last one before second ``2 k + 1`` (0.96, 2.96, 4.96 and 6.96 s of 8 s at 25 fps). ``floor(duration / 2)``
frames, each resized to a short side of 224 (bicubic, antialiased, on bytes), normalised, cropped at three places along
the long side; every frame goes with the next one: 9 clips of 2 frames for 8 s. Decided here: a clip shorter than 4 s
has one frame, which goes in twice, as ImageBind takes still images; the peer drops such clips.

Commercial use: not with these weights, see ``pe_av_video``.

Sources: Girdhar et al., "ImageBind: One Embedding Space To Bind Them All", CVPR 2023;
facebookresearch/ImageBind@53680b0; hkchengrex/av-benchmark@050a5cd av_bench/data/video_dataset.py, extract_video.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from foleybench.api.encoder import Encode, Encoder, Signal
from foleybench.api.weights import require
from foleybench.clips import FloatArray, FrameArray, IntArray
from foleybench.encoders._inputs.frame_rate import frames_of
from foleybench.encoders._nets.imagebind_weights import LICENCE, SOURCE, WEIGHTS

if TYPE_CHECKING:
    from torch import Tensor

    from foleybench.encoders._nets.imagebind import PatchTower

EVERY_S = 2
SIZE = 224
# Of the images that CLIP was trained on, red, green and blue.
MEAN = (0.48145466, 0.4578275, 0.40821073)
SPREAD = (0.26862954, 0.26130258, 0.27577711)
_GPU_BATCH = 4


def chosen_frames(frame_times_s: FloatArray, duration_s: float) -> IntArray:
    """Return the indices of the frames that the net is fed, in order.

    Args:
        frame_times_s: Shape (T,), T >= 1.
        duration_s: Length of the clip.

    Example:
        >>> chosen_frames(np.arange(200) / 25, 8.0).tolist()
        [24, 74, 124, 174]
    """
    n = max(1, int(duration_s / EVERY_S))
    ends = EVERY_S * np.arange(n) + EVERY_S / 2
    return np.maximum(np.searchsorted(frame_times_s, ends - 1e-6, side="left") - 1, 0).astype(np.int64)


def crops(frames: FrameArray) -> Tensor:
    """Return three square crops of each frame, normalised: (T, H, W, 3) uint8 to (3, T, 3, 224, 224) float32."""
    import torch
    from torchvision.transforms.v2 import functional

    pixels = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
    resized = functional.resize(pixels, [SIZE], interpolation=functional.InterpolationMode.BICUBIC, antialias=True)
    normal = functional.normalize(functional.to_dtype(resized, torch.float32, scale=True), list(MEAN), list(SPREAD))
    room = max(normal.shape[2:]) - SIZE
    axis = 2 if normal.shape[2] > normal.shape[3] else 3
    return torch.stack([normal.narrow(axis, start, SIZE) for start in (0, -(-room // 2), room)])


def pairs(signal: Signal) -> npt.NDArray[np.float32]:
    """Return what the net is fed of a clip: shape (3 * pairs, 3, 2, 224, 224), the crops of a pair beside each other.

    Raises:
        FoleyError: The clip has no frames.
    """
    import torch

    frames, times_s = frames_of(signal)
    cut = crops(frames[chosen_frames(times_s, signal.duration_s)])
    cut = torch.cat([cut, cut], dim=1) if cut.shape[1] == 1 else cut
    return torch.cat([cut[:, start : start + 2] for start in range(cut.shape[1] - 1)]).transpose(1, 2).numpy()


def new_net() -> PatchTower:
    """Return the tower with random weights, in evaluation mode."""
    from foleybench.encoders._nets import imagebind

    return imagebind.vision_tower()


def encode_with(net: PatchTower, device: str) -> Encode:
    """Return the ``encode`` of the encoder with this tower."""
    from foleybench.encoders._inputs.batches import batched

    net = net.to(device)
    return batched(pairs, lambda clips: (net(clips),), device, gpu_batch=_GPU_BATCH)


def _build(device: str) -> Encode:
    path = require("imagebind_video", WEIGHTS)
    from foleybench.encoders._nets import imagebind

    return encode_with(imagebind.load_weights(new_net(), path), device)


ENCODER = Encoder(
    version=1,
    rate_hz=16000,
    modality="video",
    layers={"embedding": (1024,)},
    licence=LICENCE,
    source=SOURCE,
    weights=WEIGHTS,
    build=_build,
)
