"""Synchformer's video features, for DeSync.

Layers:
    segments: (S, 8, 768) float32: eight features per segment of 0.64 s, a segment every 0.32 s, S = 24 for 8 s and
        more, fewer for shorter clips.

25 frames a second; short side to 224 (bicubic, antialiased), the middle 224 x 224, values in [-1, 1]. Synchformer's own
scripts scale to 256 before the cut: those keep less of the frame, and their offsets are not these.
A video that does not have 25 frames a second is brought to it by the rule of ffmpeg's ``fps`` filter, from the shard's
timestamps; a shard of the default profile has that rate.

Sources: Iashin et al., "Synchformer", ICASSP 2024; hkchengrex/av-benchmark@050a5cd av_bench/extract_video.py and
av_bench/synchformer/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import require
from foleybench.clips import FrameArray
from foleybench.encoders._inputs.frame_rate import frames_at
from foleybench.encoders._nets.synchformer import LICENCE, N_SEGMENTS, SOURCE, WEIGHTS, load_weights, segment_starts

if TYPE_CHECKING:
    from torch import Tensor

RATE_HZ = 25.0
SIDE_PX = 224
LENGTH, HOP = 16, 8
# Segments that go through the net at once: enough to keep a GPU busy, few enough for a CPU's memory.
_AT_ONCE = {"cpu": 1, "cuda": N_SEGMENTS}


def synchformer_input(frames: FrameArray) -> Tensor:
    """Return frames (T, H, W, 3) uint8 as the net is fed them: (T, 3, 224, 224) float32 in [-1, 1]."""
    import torch
    from torchvision.transforms.v2 import InterpolationMode, functional

    pixels = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
    # On whole bytes, as av-benchmark does: rounding to 0..255 comes before the cut and the scaling.
    small = functional.resize(pixels, [SIDE_PX], interpolation=InterpolationMode.BICUBIC, antialias=True)
    middle: Tensor = functional.center_crop(small, [SIDE_PX, SIDE_PX])
    return (middle.float() / 255.0 - 0.5) / 0.5


def segments_of(signal: Signal) -> Tensor:
    """Return the segments of a clip, (S, 3, 16, 224, 224)."""
    import torch

    pixels = synchformer_input(frames_at(signal, RATE_HZ, most=(N_SEGMENTS - 1) * HOP + LENGTH))
    starts = segment_starts(len(pixels), LENGTH, HOP)
    cut = [pixels[start : start + LENGTH].transpose(0, 1) for start in starts]
    return torch.stack(cut) if cut else pixels.new_zeros(0, 3, LENGTH, SIDE_PX, SIDE_PX)


def _build(device: str) -> Encode:
    import torch

    net = load_weights(require("synchformer_video", WEIGHTS)).vfeat_extractor.to(device)
    at_once = _AT_ONCE.get(torch.device(device).type, 1)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        segments = segments_of(signal)
        made = [net(part.to(device)).float().cpu() for part in torch.split(segments, at_once) if len(part)]
        width = net.norm.normalized_shape[0]
        return {"segments": torch.cat(made).numpy() if made else np.zeros((0, 8, width), dtype=np.float32)}

    # One clip at a time: its segments fill a batch, and its neighbours cannot change a bit.
    return one_by_one(encode_one)


ENCODER = Encoder(
    version=1,
    # It uses no audio; the field must hold a rate.
    rate_hz=16000,
    modality="video",
    layers={"segments": (ANY, 8, 768)},
    licence=LICENCE,
    source=SOURCE,
    weights=WEIGHTS,
    build=_build,
)
