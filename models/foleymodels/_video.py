"""Frames to features: any frame rate and size onto a fixed grid, then a small network per frame and over time.

No pretrained encoder: the network is trained end to end by the alignment stage.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.clips import Clock, FloatArray, FrameArray
from foleymodels._blocks import TimeConv

_RESIZE_BATCH = 64
_SMALLEST_CONTRAST = 0.01


def to_grid(
    frames: FrameArray, frame_times_s: FloatArray, duration_s: float, grid_hz: float, side_px: int
) -> FrameArray:
    """Sample a video on a fixed time grid and shrink it.

    Args:
        frames: (T, H, W, 3) uint8.
        frame_times_s: Timestamps, shape (T,).
        duration_s: Length of the clip.
        grid_hz: Wanted frames per second; each takes the frame on screen at the middle of its interval.
        side_px: Side of the square result; pixels are area means.

    Returns:
        Shape (n, side_px, side_px, 3) uint8, n = ``Clock(duration_s).tokens(grid_hz)``.
    """
    n = Clock(duration_s).tokens(grid_hz)
    index = Clock.nearest(frame_times_s, (np.arange(n, dtype=np.float64) + 0.5) / grid_hz)
    wanted, inverse = np.unique(index, return_inverse=True)
    small = [
        _shrink(frames[wanted[start : start + _RESIZE_BATCH]], side_px)
        for start in range(0, len(wanted), _RESIZE_BATCH)
    ]
    return np.concatenate(small)[inverse]


def _shrink(frames: FrameArray, side_px: int) -> FrameArray:
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    small = (
        F.adaptive_avg_pool2d(images, side_px) if min(images.shape[2:]) >= side_px else F.interpolate(images, side_px)
    )
    return small.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().numpy()


def grid_times_s(n: int, grid_hz: float) -> Tensor:
    """Return the middles of the grid's intervals in seconds, shape (n,)."""
    return (torch.arange(n, dtype=torch.float32) + 0.5) / grid_hz


class VideoEncoder(nn.Module):
    """Colour and motion of each frame to a feature, then convolutions over time.

    The last map is flattened and not pooled, because where something moves decides when it sounds.
    """

    def __init__(self, side_px: int, channels: tuple[int, int, int], dim: int) -> None:
        super().__init__()
        first, second, third = channels
        self.maps = nn.Sequential(
            nn.Conv2d(5, first, 4, stride=4),
            nn.SiLU(),
            nn.Conv2d(first, second, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(second, third, 3, stride=2, padding=1),
            nn.SiLU(),
        )
        for layer in self.maps:
            for weight in layer.parameters():  # channels last in memory: nearly twice as fast on a CPU
                weight.data = weight.data.contiguous(memory_format=_layout(weight))
        side = math.ceil(math.ceil((side_px // 4) / 2) / 2)
        self.project = nn.Linear(third * side * side, dim)
        self.context = nn.ModuleList([TimeConv(dim, dim, 5), TimeConv(dim, dim, 5)])

    def forward(self, frames: Tensor) -> Tensor:
        """Encode.

        Args:
            frames: Shape (batch, n, side, side, 3) uint8.

        Returns:
            Shape (batch, n, dim).
        """
        maps = self.maps(_with_motion(frames))
        x: Tensor = self.project(maps.flatten(1)).reshape(*frames.shape[:2], -1)
        for layer in self.context:
            x = x + F.silu(layer(F.layer_norm(x, x.shape[-1:])))
        return x


def _with_motion(frames: Tensor) -> Tensor:
    """Return colour, change and deviation as channels, shape (batch * n, 5, side, side), channels last in memory.

    Change is brightness less that of the frame before, deviation is brightness less its mean over time (it shows what
    moves in front of what stands). Both are scaled to unit size over the clip, so low contrast is seen as well.
    """
    colour = frames.float() / 128.0 - 1.0
    brightness = colour.mean(-1, keepdim=True)
    deviation = brightness - brightness.mean(1, keepdim=True)
    change = F.pad(brightness[:, 1:] - brightness[:, :-1], (0, 0, 0, 0, 0, 0, 1, 0))
    stacked = torch.cat([colour, _unit_size(change), _unit_size(deviation)], dim=-1)
    return stacked.flatten(0, 1).permute(0, 3, 1, 2)


def _layout(weight: Tensor) -> torch.memory_format:
    return torch.channels_last if weight.ndim == 4 else torch.contiguous_format


def _unit_size(x: Tensor) -> Tensor:
    return x / x.square().mean((1, 2, 3, 4), keepdim=True).sqrt().clamp_min(_SMALLEST_CONTRAST)
