"""Split long inputs into overlapping windows, and cross-fade outputs.

Networks are trained on a few seconds; a longer clip is cut in equal windows, each is processed alone, and the results
are averaged with weights that fall towards the ends of a window. A clip that fits is one window: the identity.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor


@dataclasses.dataclass(frozen=True)
class Windows:
    """The windows of a sequence, all of one length.

    Attributes:
        n: Length of the sequence.
        length: Length of a window, at most ``n``.
        starts: First index of each window.
    """

    n: int
    length: int
    starts: tuple[int, ...]

    @classmethod
    def cover(cls, n: int, longest: int) -> Windows:
        """Cover ``n`` positions with windows of at most ``longest`` that overlap by at least a quarter.

        Example:
            >>> Windows.cover(10, 20).starts, Windows.cover(20, 12).starts
            ((0,), (0, 8))
        """
        length = min(n, longest)
        step = max(1, length - length // 4)
        n_windows = 1 + -(-(n - length) // step)
        if n_windows == 1:
            return cls(n, length, (0,))
        return cls(n, length, tuple(round(index * (n - length) / (n_windows - 1)) for index in range(n_windows)))

    def split(self, x: Tensor) -> Tensor:
        """Cut (batch, n, d) into windows, shape (batch * n_windows, length, d)."""
        parts = torch.stack([x[:, start : start + self.length] for start in self.starts], dim=1)
        return parts.flatten(0, 1)

    def split_frames(self, frames: Tensor, token_hz: float, grid_hz: float) -> Tensor:
        """Cut the video frames of the same times.

        Args:
            frames: Shape (batch, m, ...), on a grid.
            token_hz: Positions of the sequence a second.
            grid_hz: Frames a second.

        Returns:
            Shape (batch * n_windows, m', ...), in the order of ``split``; every window has the same number of frames.
        """
        length = min(frames.shape[1], round(self.length / token_hz * grid_hz) + 1)
        firsts = [min(round(start / token_hz * grid_hz), frames.shape[1] - length) for start in self.starts]
        return torch.stack([frames[:, first : first + length] for first in firsts], dim=1).flatten(0, 1)

    def merge(self, parts: Tensor) -> Tensor:
        """Cross-fade (batch * n_windows, length, d) back into (batch, n, d)."""
        if len(self.starts) == 1:
            return parts
        grouped = parts.reshape(-1, len(self.starts), *parts.shape[1:])
        ramp = torch.minimum(torch.arange(1, self.length + 1), torch.arange(self.length, 0, -1)).to(parts)
        total = parts.new_zeros(len(grouped), self.n, parts.shape[-1])
        weight = parts.new_zeros(self.n, 1)
        for index, start in enumerate(self.starts):
            total[:, start : start + self.length] += grouped[:, index] * ramp[:, None]
            weight[start : start + self.length] += ramp[:, None]
        return total / weight
