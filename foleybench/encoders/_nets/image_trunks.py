"""Run timm's image encoders on a clip's frames.

Frames are prepared as the reference library does and give one feature each. They are taken at a fixed rate by their
timestamps: the one on screen at the middle of each interval.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import Weights, require
from foleybench.clips import Clock, FrameArray
from foleybench.encoders._inputs.frame_rate import frames_of

if TYPE_CHECKING:
    import torch
    from torch import nn

_BATCH = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trunk:
    """The architecture, weights and input of one of these encoders.

    Attributes:
        name: Name of the encoder.
        architecture: Name in timm.
        options: Options of its constructor.
        weights: The weights file, in timm's names.
        resize_px: The short side is resized to this (PIL, bicubic).
        crop_px: Then the middle square of this size is cut out.
        mean: Per channel, subtracted from values in [0, 1].
        std: Per channel, divides them afterwards.
        rate_hz: Frames per second.
    """

    name: str
    architecture: str
    options: dict[str, Any]
    weights: Weights
    resize_px: int
    crop_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    rate_hz: float = 8.0


OPENAI_MEAN, OPENAI_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def new_net(trunk: Trunk, **smaller: Any) -> nn.Module:
    """Return the network with random weights, in evaluation mode.

    Args:
        trunk: The encoder.
        smaller: Options that make the same class small enough for a test (``depth``, ``embed_dim``, ``num_heads``).
    """
    import timm

    from foleybench.encoders._inputs.loading import with_random_weights

    options = {**trunk.options, **smaller}
    return with_random_weights(lambda: timm.create_model(trunk.architecture, pretrained=False, **options), seed=0)


def load_weights(trunk: Trunk, path: Path, **smaller: Any) -> nn.Module:
    """Return the network with the weights of a file.

    Raises:
        FoleyError: The file does not hold exactly the tensors of this architecture.
    """
    from foleybench.encoders._inputs.loading import load_strictly, read_safetensors

    net = new_net(trunk, **smaller)
    load_strictly(net, read_safetensors(path), path)
    return net


def trunk_input(trunk: Trunk, frames: FrameArray) -> torch.Tensor:
    """Return frames (T, H, W, 3) uint8 as the net's input, (T, 3, crop_px, crop_px) float32."""
    import torch
    from PIL import Image

    height, width = frames.shape[1:3]
    short = min(height, width)
    size = (
        trunk.resize_px if width == short else int(trunk.resize_px * width / short),
        trunk.resize_px if height == short else int(trunk.resize_px * height / short),
    )
    left, top = (round((side - trunk.crop_px) / 2.0) for side in size)
    box = (left, top, left + trunk.crop_px, top + trunk.crop_px)
    made = [
        np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC).crop(box), dtype=np.uint8)
        for frame in frames
    ]
    values = torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2).float().div(255)
    mean, std = (torch.tensor(part)[:, None, None] for part in (trunk.mean, trunk.std))
    return (values - mean) / std


def frames_on_screen(signal: Signal, rate_hz: float) -> FrameArray:
    """Return the frames on screen at the middles of the intervals of a rate, (T, H, W, 3)."""
    frames, times_s = frames_of(signal)
    n = Clock(signal.duration_s).tokens(rate_hz)
    return frames[Clock.nearest(times_s, (np.arange(n, dtype=np.float64) + 0.5) / rate_hz)]


def encode_with(trunk: Trunk, net: nn.Module, device: str) -> Encode:
    """Return the encoder's function for a net."""
    import torch

    net = net.to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        # One frame at a time in effect: nothing in these nets mixes a batch.
        return {"frames": _encode_one(trunk, net, signal, device)}

    return one_by_one(encode_one)


def untrained_trunk(trunk: Trunk, device: str) -> Encode:
    """Return the encoder with random weights: to try sizes and memory."""
    return encode_with(trunk, new_net(trunk), device)


def card(trunk: Trunk, *, dim: int, source: str) -> Encoder:
    """Return the encoder's card; building it loads the weights strictly.

    Args:
        trunk: The encoder.
        dim: Numbers in the feature of a frame.
        source: Paper or ``repo@commit`` that defines the encoder.
    """

    def build(device: str) -> Encode:
        return encode_with(trunk, load_weights(trunk, require(trunk.name, trunk.weights)), device)

    return Encoder(
        version=1,
        rate_hz=16000,
        modality="video",
        layers={"frames": (ANY, dim)},
        licence=trunk.weights.licence,
        source=source,
        weights=trunk.weights,
        build=build,
        untrained=functools.partial(untrained_trunk, trunk),
    )


def _encode_one(trunk: Trunk, net: nn.Module, signal: Signal, device: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    import torch

    frames = frames_on_screen(signal, trunk.rate_hz)
    starts = range(0, len(frames), _BATCH)
    parts = [net(trunk_input(trunk, frames[start : start + _BATCH]).to(device)).float().cpu() for start in starts]
    return torch.cat(parts).numpy()
