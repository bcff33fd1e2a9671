"""Sharpen mel tokens by convolutions over time and frequency.

A token holds a whole spectrum, so a transformer of tokens has to learn a partial anew at every frequency. Convolutions
see the same partial everywhere: thin lines that last, and attacks, come out sharp for little work.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Bands that share a cell of the grid.
_BANDS = 2
_DILATIONS = (1, 2, 4)


class Refine(nn.Module):
    """Corrects an estimate of the data, given the noisy point and a context for every token."""

    def __init__(self, *, n_mels: int, frames_per_token: int, channels: int, context_dim: int) -> None:
        super().__init__()
        self._shape = (frames_per_token, n_mels // _BANDS, _BANDS)
        per_cell = frames_per_token * _BANDS
        self.context = nn.Linear(context_dim, channels)
        self.band = nn.Parameter(torch.zeros(channels, n_mels // _BANDS, 1))
        self.enter = nn.Conv2d(2 * per_cell, channels, 3, padding=1)
        self.layers = nn.ModuleList(
            [nn.Conv2d(channels, channels, 3, padding=(1, time), dilation=(1, time)) for time in _DILATIONS[1:]]
        )
        self.leave = nn.Conv2d(channels, per_cell, 3, padding=1)
        for weight in self.parameters():  # channels last in memory: faster on a CPU
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        for weight in self.leave.parameters():
            nn.init.zeros_(weight)

    def forward(self, estimate: Tensor, x: Tensor, context: Tensor) -> Tensor:
        """Return the corrected estimate.

        Args:
            estimate: Estimate of the data, shape (batch, n, token_dim).
            x: The noisy point, same shape.
            context: Shape (batch, n, context_dim).

        Returns:
            Shape of ``estimate``.
        """
        inputs = torch.cat([self._grid(x), self._grid(estimate)], dim=1).contiguous(memory_format=torch.channels_last)
        hidden = self.enter(inputs) + self.band + self.context(context).transpose(1, 2)[:, :, None]
        for layer in self.layers:
            hidden = hidden + layer(F.silu(hidden))
        return estimate + self._tokens(self.leave(F.silu(hidden)))

    def _grid(self, tokens: Tensor) -> Tensor:
        """Lay tokens (batch, n, token_dim) out as (batch, cell, band, n)."""
        batch, n, _ = tokens.shape
        return tokens.reshape(batch, n, *self._shape).permute(0, 2, 4, 3, 1).flatten(1, 2)

    def _tokens(self, grid: Tensor) -> Tensor:
        """Put the grid back into tokens."""
        frames, bands, inside = self._shape
        batch, n = grid.shape[0], grid.shape[-1]
        return grid.reshape(batch, frames, inside, bands, n).permute(0, 4, 1, 3, 2).reshape(batch, n, -1)
