"""Turn video frames into coarse maps, and maps into features.

Any frame rate and size goes onto a fixed grid in time and space, then through a small trained network, without a
pretrained encoder. A coarse map of six plain quantities is cached per frame, so that training never touches pixels:
mean colour, and how the brightness of the fine frame changed since the frame before (signed mean, mean magnitude,
largest magnitude). The largest magnitude keeps small marks that a mean would drown.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.clips import Clock, FloatArray, FrameArray
from foleymodels._parts.blocks import Context

N_QUANTITIES = 6
FINE_PX = 64
# Frames before and after a frame that its first convolution sees.
REACH = 2
_N_PLANES = 3 + 2 * REACH + 1
_BATCH = 64
_CHANGE_GAIN = 4.0
_SMALLEST_SIZE = 0.01
MapArray = npt.NDArray[np.uint8]


def observe(frames: FrameArray, frame_times_s: FloatArray, duration_s: float, grid_hz: float, cells: int) -> MapArray:
    """Sample a video on a fixed time grid and reduce each frame to a coarse map.

    Args:
        frames: (T, H, W, 3) uint8.
        frame_times_s: Timestamps, shape (T,).
        duration_s: Length of the clip.
        grid_hz: Maps per second; which frame each shows is decided by ``Clock.on_grid``.
        cells: Side of the map; divides 64.

    Returns:
        Shape (n, cells, cells, 6) uint8, n = ``Clock(duration_s).tokens(grid_hz)``. Quantities 0 to 2 are colour; 3 is
        the mean change around 128; 4 and 5 are the mean and largest magnitude of the change, times 4, clipped.
    """
    index = Clock.on_grid(frame_times_s, grid_hz, Clock(duration_s).tokens(grid_hz))
    wanted, inverse = np.unique(index, return_inverse=True)
    starts = range(0, len(wanted), _BATCH)
    fine = torch.cat([fine_frames(frames[wanted[start : start + _BATCH]]) for start in starts], dim=1)[:, inverse]
    brightness = (fine[0] + fine[1] + fine[2]) / 3.0
    change = F.pad(brightness[1:] - brightness[:-1], (0, 0, 0, 0, 1, 0))
    size = change.abs()
    block = FINE_PX // cells
    red, green, blue, drift, mean_size = F.avg_pool2d(torch.cat([fine, change[None], size[None]]), block)
    largest = F.max_pool2d(size, block)
    quantities = [red, green, blue, 128.0 + drift, _CHANGE_GAIN * mean_size, _CHANGE_GAIN * largest]
    return torch.stack(quantities, dim=-1).round().clamp(0, 255).byte().numpy()


def fine_frames(frames: FrameArray) -> Tensor:
    """Return frames (n, H, W, 3) uint8 at the fine size by area mean (small ones enlarged), (3, n, 64, 64) float32."""
    planes = torch.from_numpy(np.ascontiguousarray(frames)).permute(3, 0, 1, 2).float().contiguous()
    if planes.shape[2:] == (FINE_PX, FINE_PX):
        return planes
    if min(planes.shape[2:]) < FINE_PX:
        return F.interpolate(planes, (FINE_PX, FINE_PX), mode="bilinear", align_corners=False)
    return F.adaptive_avg_pool2d(planes, FINE_PX)


class VideoEncoder(nn.Module):
    """Maps to a feature per frame, then convolutions over time.

    A frame is seen together with its neighbours in time before anything is pooled: a contact is a turn of motion at
    one place, and convolutions over whole frames' features would have to learn it anew for every place. The last map
    is flattened, because the place of motion decides the time of the sound, and its largest values stand beside it,
    because a class looks the same everywhere.
    """

    def __init__(self, cells: int, channels: tuple[int, int, int], dim: int) -> None:
        super().__init__()
        first, second, third = channels
        self.maps = nn.Sequential(
            nn.Conv2d(_N_PLANES, first, 5, stride=2, padding=2),
            nn.SiLU(),
            nn.Conv2d(first, second, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(second, third, 3, stride=2, padding=1),
            nn.SiLU(),
        )
        for weight in self.maps.parameters():  # channels last in memory: nearly twice as fast on a CPU
            weight.data = weight.data.contiguous(memory_format=_layout(weight))
        side = -(-cells // 8)
        self.project = nn.Linear(third * (side * side + 1), dim)
        self.context = Context(dim)

    def forward(self, maps: Tensor) -> Tensor:
        """Encode.

        Args:
            maps: From ``observe``, shape (batch, n, cells, cells, 6) uint8.

        Returns:
            Shape (batch, n, dim).
        """
        features = self.maps(_planes_in_time(maps))
        seen = torch.cat([features.flatten(1), features.amax((2, 3))], dim=1)
        out: Tensor = self.context(self.project(seen).reshape(*maps.shape[:2], -1))
        return out


def _planes_in_time(maps: Tensor) -> Tensor:
    """Return colour and motion around every frame, shape (batch * n, 8, cells, cells), channels last in memory.

    Motion is brightness less its mean over time, which shows movers before a still background, scaled to unit size over
    the clip, so that low contrast is seen as well: the frame's own, and those of ``REACH`` frames before and after less
    the frame's own. Beyond both ends the end's frame is repeated.
    """
    colour = maps[..., :3].movedim(-1, 2).float() / 128.0 - 1.0
    brightness = colour.mean(2)
    deviation = unit_size(brightness - brightness.mean(1, keepdim=True))
    n = maps.shape[1]
    before, after = (deviation[:, at : at + 1].expand(-1, REACH, -1, -1) for at in (0, n - 1))
    padded = torch.cat([before, deviation, after], dim=1)
    planes = torch.empty((*deviation.shape, _N_PLANES), device=maps.device)  # filled in place: half the time of joining
    planes[..., :3], planes[..., 3] = colour.movedim(2, -1), deviation
    for k, shift in enumerate((*range(REACH), *range(REACH + 1, 2 * REACH + 1)), start=4):
        planes[..., k] = padded[:, shift : shift + n] - deviation
    return planes.flatten(0, 1).permute(0, 3, 1, 2)


def _layout(weight: Tensor) -> torch.memory_format:
    return torch.channels_last if weight.ndim == 4 else torch.contiguous_format


def unit_size(x: Tensor) -> Tensor:
    """Return a quantity scaled to unit root mean square over each example; what hardly moves is not blown up.

    Args:
        x: Shape (batch, ...).
    """
    return x / x.square().mean(tuple(range(1, x.ndim)), keepdim=True).sqrt().clamp_min(_SMALLEST_SIZE)
