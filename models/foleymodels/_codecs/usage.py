"""Measure how evenly codebooks are used."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Usage(NamedTuple):
    """How the codes of every level are used.

    Attributes:
        used: Share of the codes that occur, in [0, 1], for every level.
        perplexity: Exponential of the entropy of the codes, from 1 (one code) to the size of the codebook.
    """

    used: list[float]
    perplexity: list[float]


def usage_of(codes: Tensor, n_codes: int) -> Usage:
    """Return the usage of the codes that were found.

    Args:
        codes: Shape (n, levels) int64.
        n_codes: Size of each codebook.

    Example:
        >>> usage_of(torch.tensor([[0, 5], [1, 5], [2, 5], [3, 5]]), 8)
        Usage(used=[0.5, 0.125], perplexity=[4.0, 1.0])
    """
    counts = torch.stack([torch.bincount(level, minlength=n_codes) for level in codes.T]).double()
    shares = counts / counts.sum(1, keepdim=True)
    entropy = -(shares * shares.clamp_min(1e-300).log()).sum(1)
    used = (counts > 0).double().mean(1)
    return Usage(*([round(float(value), 4) for value in row] for row in (used, entropy.exp())))
