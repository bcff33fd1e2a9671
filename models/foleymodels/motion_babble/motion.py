"""Measure how much the picture moves at every frame."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from foleybench.clips import FloatArray, FrameArray
from foleymodels._parts.frame_maps import fine_frames

# Side of a patch, in pixels of a frame of 64: smaller than what moves, large enough that a noisy pixel does not count.
_PATCH = 5
_BATCH = 64


@torch.inference_mode()
def motion_of(frames: FrameArray) -> FloatArray:
    """Return the mean change of brightness in the patch that changes most since the frame before, for every frame.

    Args:
        frames: (T, H, W, 3) uint8.

    Returns:
        Shape (T,), grey levels of 255. The first frame, which has none before it, has the value of the second; a single
        one has 0.
    """
    motion = np.zeros(len(frames))
    for start in range(1, len(frames), _BATCH):
        grey = fine_frames(frames[start - 1 : start + _BATCH]).mean(0)
        change = (grey[1:] - grey[:-1]).abs()
        motion[start : start + _BATCH] = F.avg_pool2d(change[:, None], _PATCH, stride=1).amax((1, 2, 3)).numpy()
    motion[:1] = motion[1:2] if len(motion) > 1 else 0.0
    return motion
