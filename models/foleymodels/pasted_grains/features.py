"""Compute the ridges' features from frame maps, without a network."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

# Number of frames before and after the described frame.
REACH = 3
_MOVING = 40.0


def frame_features(maps: Tensor) -> Tensor:
    """Describe every frame by the motion around its time.

    Changes of brightness (largest, signed) and the deviation from the clip's mean are pooled to 8 x 8, scaled to unit
    size over the clip; nine numbers describe the whole frame, as logarithms and against the clip's mean. Those of
    the ``REACH`` frames before and after stand beside them.

    Args:
        maps: Frame maps of one clip, shape (n, cells, cells, 6) uint8.

    Returns:
        Shape (n, (3 * 64 + 18) * (2 * REACH + 1)).
    """
    values = maps.float()
    brightness = values[..., :3].mean(-1)
    deviation = brightness - brightness.mean(0, keepdim=True)
    drift, change, largest = values[..., 3] - 128.0, values[..., 4], values[..., 5]
    local = torch.cat([_largest(largest), _mean(drift), _mean(deviation)], 1)
    whole = torch.stack(
        [
            change.mean((1, 2)),
            largest.amax((1, 2)),
            (largest > _MOVING).float().mean((1, 2)),
            drift.mean((1, 2)),
            drift.abs().mean((1, 2)),
            drift.amax((1, 2)),
            drift.amin((1, 2)),
            deviation.amax((1, 2)),
            deviation.std((1, 2)),
        ],
        1,
    )
    scaled = local / local.square().mean().sqrt().clamp_min(0.5)
    against_mean = whole / whole.abs().mean(0).clamp_min(0.05)
    rows = torch.cat([scaled, whole.abs().log1p() * whole.sign(), against_mean], 1)
    padded = F.pad(rows.T[None], (REACH, REACH), mode="replicate")[0].T
    return torch.cat([padded[k : k + len(rows)] for k in range(2 * REACH + 1)], 1)


def clip_features(maps: Tensor) -> Tensor:
    """Describe a clip's look: means and deviations of the maps at 4 x 4, and amounts of motion.

    Args:
        maps: Frame maps of one clip, shape (n, cells, cells, 6) uint8.

    Returns:
        Shape (202,).
    """
    values = maps.float()
    coarse = F.adaptive_avg_pool2d(values.permute(0, 3, 1, 2), 4).flatten(1)
    motion = values[..., 4].mean((1, 2)).sort().values
    deciles = F.interpolate(motion[None, None], size=10, mode="linear", align_corners=True)[0, 0]
    return torch.cat([coarse.mean(0), coarse.std(0, correction=0), deciles])


def _mean(maps: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(maps[:, None], 8).flatten(1)


def _largest(maps: Tensor) -> Tensor:
    return F.adaptive_max_pool2d(maps[:, None], 8).flatten(1)
