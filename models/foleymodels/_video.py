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
    index = Clock.nearest(frame_times_s, (np.arange(n) + 0.5) / grid_hz)
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

    The picture, its difference to the frame before and to the frame after go in; the last map is flattened and not
    pooled, because where something moves decides when it sounds.
    """

    def __init__(self, side_px: int, channels: tuple[int, int, int], dim: int) -> None:
        super().__init__()
        first, second, third = channels
        self.patch = nn.Conv2d(9, first, 4, stride=4)
        self.middle = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.last = nn.Conv2d(second, third, 3, stride=2, padding=1)
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
        maps = F.silu(self.patch(_with_motion(frames)))
        maps = F.silu(self.middle(maps))
        maps = F.silu(self.last(maps))
        x = self.project(maps.flatten(1)).unflatten(0, frames.shape[:2])
        for layer in self.context:
            x = x + F.silu(layer(F.layer_norm(x, x.shape[-1:])))
        return x


def _with_motion(frames: Tensor) -> Tensor:
    """Return colour and both differences as channels, shape (batch * n, 9, side, side)."""
    images = frames.permute(0, 1, 4, 2, 3).float() / 128.0 - 1.0
    change = images[:, 1:] - images[:, :-1]
    before = F.pad(change, (0, 0, 0, 0, 0, 0, 1, 0))
    after = F.pad(change, (0, 0, 0, 0, 0, 0, 0, 1))
    return torch.cat([images, 3.0 * before, 3.0 * after], dim=2).flatten(0, 1)
