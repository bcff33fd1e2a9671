"""Define small encoders of single frames, and of audio with context."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._parts.blocks import Context

_PATCH = 4
_FIRST, _SECOND = 32, 64
N_COLOURS = 3


class FrameEncoder(nn.Module):
    """One frame at a time, its colours only: like an image encoder it has no notion of motion."""

    def __init__(self, cells: int, dim: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(N_COLOURS, _FIRST, _PATCH, stride=_PATCH)
        self.maps = nn.Conv2d(_FIRST, _SECOND, 3, stride=2, padding=1)
        side = -(-(cells // _PATCH) // 2)
        self.project = nn.Linear(_SECOND * side * side, dim)
        self.hidden = nn.Parameter(torch.zeros(_FIRST))

    def forward(self, maps: Tensor, mask: Tensor | None = None) -> Tensor:
        """Encode frames.

        Args:
            maps: Shape (batch, n, cells, cells, 6) uint8; the first three quantities are the colours.
            mask: Patches that are hidden, shape (batch * n, cells // 4, cells // 4), or None.

        Returns:
            Shape (batch, n, dim), each feature normalised to zero mean and unit size.
        """
        x = self.patches(colours(maps))
        if mask is not None:
            x = torch.where(mask[:, None], self.hidden[None, :, None, None], x)
        x = F.silu(self.maps(F.silu(x)))
        projected: Tensor = self.project(x.flatten(1))
        return F.layer_norm(projected, projected.shape[-1:]).reshape(*maps.shape[:2], -1)


def colours(maps: Tensor) -> Tensor:
    """Return the colours of maps in [-1, 1], shape (batch * n, 3, cells, cells)."""
    return maps[..., :N_COLOURS].flatten(0, 1).permute(0, 3, 1, 2).float() / 128.0 - 1.0


class AudioEncoder(nn.Module):
    """Mel tokens in a context of four tokens to each side."""

    def __init__(self, token_dim: int, dim: int) -> None:
        super().__init__()
        self.enter = nn.Linear(token_dim, dim)
        self.context = Context(dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode (batch, n, token_dim) into (batch, n, dim), each feature of zero mean and unit size."""
        x: Tensor = self.context(self.enter(tokens))
        return F.layer_norm(x, x.shape[-1:])
