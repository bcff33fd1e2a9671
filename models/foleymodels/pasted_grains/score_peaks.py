"""Turn onsets into scores of frames, and back."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from foleybench.clips import FloatArray


def onset_targets(onsets_s: FloatArray, n_frames: int, grid_hz: float) -> Tensor:
    """Return 1 at frames whose middle is at an onset, falling to 0 one frame away, shape (n_frames, 1)."""
    middles = (np.arange(n_frames) + 0.5) / grid_hz
    if len(onsets_s) == 0:
        return torch.zeros(n_frames, 1)
    away = np.abs(middles[:, None] - onsets_s[None, :]).min(1) * grid_hz
    return torch.from_numpy(np.clip(1.0 - away, 0.0, 1.0)).float()[:, None]


def peaks(score: Tensor, threshold: float, grid_hz: float, gap: int = 3) -> FloatArray:
    """Return the times of the highest frames of a score, ``gap`` frames apart or more; a parabola finds the top."""
    values = score.double().numpy()
    left, found = values.copy(), []
    while (k := int(left.argmax())) >= 0 and left[k] >= threshold:
        found.append(k)
        left[max(0, k - gap) : k + gap + 1] = -np.inf
    times = []
    for k in sorted(found):
        before, here, after = values[max(0, k - 1)], values[k], values[min(len(values) - 1, k + 1)]
        bend = before - 2.0 * here + after
        shift = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
        times.append((k + 0.5 + float(np.clip(shift, -0.5, 0.5))) / grid_hz)
    return np.asarray(times)
