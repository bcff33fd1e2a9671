"""Contrast pairs on the unit sphere, with a learned temperature.

Source: van den Oord, Li, Vinyals 2018 (InfoNCE), in the symmetric form of Radford et al. 2021 (scale clipped at 100).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

LOG_SCALE = math.log(1 / 0.07)
_LARGEST = math.log(100.0)


def scale_of(log_scale: Tensor) -> Tensor:
    """Return the scale of the logits, at most 100."""
    return log_scale.clamp(max=_LARGEST).exp()


def info_nce(first: Tensor, second: Tensor, scale: Tensor) -> Tensor:
    """Return the symmetric loss of finding each vector's partner among the others.

    Args:
        first: Unit vectors, shape (..., n, dim); the ``n`` of a group are contrasted.
        second: Their partners, same shape.
        scale: Scale of the logits.
    """
    logits = scale * first @ second.transpose(-1, -2)
    n = logits.shape[-1]
    wanted = torch.arange(n, device=logits.device).repeat(logits[..., 0].numel() // n)
    rows, columns = logits.reshape(-1, n), logits.transpose(-1, -2).reshape(-1, n)
    return (F.cross_entropy(rows, wanted) + F.cross_entropy(columns, wanted)) / 2
