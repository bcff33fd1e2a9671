"""Draw which codes are masked in training.

Masks are drawn for the whole batch in every process, as all that is random is.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

DrawMask = Callable[[tuple[int, int, int], torch.Generator], Tensor]


def cosine_ratios(n: int, generator: torch.Generator) -> Tensor:
    """Return ratios cos(pi / 2 * u) of uniform u, shape (n,): mostly masked. Source: MaskGIT, section 3.1."""
    return torch.cos(math.pi / 2 * torch.rand(n, generator=generator))


def truncated_normal(
    n: int, generator: torch.Generator, *, mean: float, spread: float, low: float, high: float
) -> Tensor:
    """Return normal numbers of a mean and spread before they are cut to an interval, shape (n,), by their inverse."""
    ends = torch.special.ndtr(torch.tensor([(low - mean) / spread, (high - mean) / spread], dtype=torch.float64))
    at = ends[0] + (ends[1] - ends[0]) * torch.rand(n, generator=generator, dtype=torch.float64)
    found: Tensor = mean + spread * torch.special.ndtri(at)
    return found.clamp(low, high).float()


def exact_mask(ratios: Tensor, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """Return masks of a given share of the codes, rounded up, at least one.

    Args:
        ratios: Shape (batch,), in [0, 1].
        shape: (batch, n, levels).
        generator: Source of which codes are masked.

    Returns:
        Boolean, of that shape.
    """
    batch, n, levels = shape
    ranks = torch.rand(batch, n * levels, generator=generator).argsort(1).argsort(1)
    counts = (ratios * n * levels).ceil().clamp_min(1)
    return (ranks < counts[:, None]).reshape(shape)


def bernoulli_mask(ratios: Tensor, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """Return masks in which every code is masked with a probability of its own: ``ratios`` of shape (batch,)."""
    return torch.rand(shape, generator=generator) < ratios[:, None, None]


def cosine_masks(shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """Return exact masks of cosine ratios, one ratio an example."""
    return exact_mask(cosine_ratios(shape[0], generator), shape, generator)


def high_ratio_masks(shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """Return Bernoulli masks whose ratios are normal about 0.55, cut to half and all.

    Source: DragonLiu1995/video-to-audio-through-text@c8e51be vatt/vt2a/modules/vt2a_mlm_alibi_uni_coder.py, which draws
    one ratio a batch; here it is one an example.
    """
    ratios = truncated_normal(shape[0], generator, mean=0.55, spread=0.25, low=0.5, high=1.0)
    return bernoulli_mask(ratios, shape, generator)
