"""Does the alignment stage use the picture? Its masked error with the true video against a wrong or a late one.

A small ratio of masked sound can be rebuilt from its neighbours alone, so the loss by itself proves nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from foleymodels._cache import TrainingData
from foleymodels._training import step_generator
from foleymodels.foleyflow.vama import Alignment, draw_mask, masked_error

SHIFTS_FRAMES = (-12, -6, -3, -1, 0, 1, 3, 6, 12)
_N_CLIPS = 64
_BATCH = 16


@torch.inference_mode()
def video_usage(alignment: Alignment, data: TrainingData, seed: int) -> dict[str, Any]:
    """Measure the use of the picture on held-out clips.

    Args:
        alignment: The trained network.
        data: Validation clips.
        seed: Decides the masks.

    Returns:
        ``loss_true``, ``loss_shuffled`` (the picture of another clip), ``usage_gap`` (their difference), the same under
        a full mask, and ``shift_curve``: the loss by shift of the picture in seconds.
    """
    n = min(_N_CLIPS, len(data))
    indices = torch.arange(n)
    other = (indices + max(1, n // 2)) % n
    loss_true = _error(alignment, data, indices, indices, 0, seed, full=False)
    loss_shuffled = _error(alignment, data, indices, other, 0, seed, full=False)
    full_true = _error(alignment, data, indices, indices, 0, seed, full=True)
    full_shuffled = _error(alignment, data, indices, other, 0, seed, full=True)
    curve = {
        f"{shift / data.settings.grid_hz:+.2f}": _error(alignment, data, indices, indices, shift, seed, full=False)
        for shift in SHIFTS_FRAMES
    }
    return {
        "n_clips": n,
        "loss_true": loss_true,
        "loss_shuffled": loss_shuffled,
        "usage_gap": round(loss_shuffled - loss_true, 6),
        "full_mask_loss_true": full_true,
        "full_mask_usage_gap": round(full_shuffled - full_true, 6),
        "shift_curve": curve,
    }


def _error(
    alignment: Alignment,
    data: TrainingData,
    sound: torch.Tensor,
    picture: torch.Tensor,
    shift: int,
    seed: int,
    *,
    full: bool,
) -> float:
    settings = alignment.settings
    device = next(alignment.parameters()).device
    total = 0.0
    for start in range(0, len(sound), _BATCH):
        part, seen = sound[start : start + _BATCH], picture[start : start + _BATCH]
        zeros = np.zeros(len(part), dtype=np.int64)
        tokens = data.crop_tokens(part, zeros, settings.vama_tokens)
        frames = data.crop_frames(seen, zeros, settings.vama_frames).roll(shift, dims=1)
        mask = draw_mask(settings, len(part), settings.vama_tokens, step_generator(seed, "usage", start))
        mask = torch.ones_like(mask) if full else mask
        predicted, _, _ = alignment(frames.to(device), tokens.to(device), mask.to(device), settings.vama_tokens)
        total += float(masked_error(predicted, tokens.to(device), mask.to(device))) * len(part)
    return round(total / len(sound), 6)
