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
        starts: First index of each window. The last one may reach over the end where starts are multiples of a unit.
    """

    n: int
    length: int
    starts: tuple[int, ...]

    @classmethod
    def cover(cls, n: int, longest: int, unit: int = 1) -> Windows:
        """Cover ``n`` positions with windows of at most ``longest`` that overlap by about a quarter or more.

        Args:
            n: Length of the sequence.
            longest: Length of the longest window.
            unit: Starts are multiples of it where a window is at least as long: the fewest positions that last as long
                as whole frames of the video, so that frames and positions of a window start together.

        Example:
            >>> Windows.cover(10, 20).starts, Windows.cover(20, 12).starts, Windows.cover(20, 12, 5).starts
            ((0,), (0, 8), (0, 5, 10))
        """
        length = min(n, longest)
        unit = unit if unit <= length else 1  # else there would be gaps; frames are then rounded
        last = -(-(n - length) // unit)
        if not last:
            return cls(n, length, (0,))
        step = max(1, (length - length // 4) // unit)
        n_windows = 1 + -(-last // step)
        return cls(n, length, tuple(unit * round(index * last / (n_windows - 1)) for index in range(n_windows)))

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
            Beyond the end the last frame is repeated.
        """
        length = round(self.length / token_hz * grid_hz) + 1
        if len(self.starts) == 1:
            return frames[:, :length]
        firsts = torch.tensor([round(start / token_hz * grid_hz) for start in self.starts])
        wanted = (firsts[:, None] + torch.arange(length)).clamp(max=frames.shape[1] - 1)
        return frames[:, wanted.to(frames.device)].flatten(0, 1)

    def merge(self, parts: Tensor) -> Tensor:
        """Cross-fade (batch * n_windows, length, d) back into (batch, n, d)."""
        if len(self.starts) == 1:
            return parts
        grouped = parts.reshape(-1, len(self.starts), *parts.shape[1:])
        ramp = torch.minimum(torch.arange(1, self.length + 1), torch.arange(self.length, 0, -1)).to(parts)
        end = max(self.n, self.starts[-1] + self.length)
        total = parts.new_zeros(len(grouped), end, parts.shape[-1])
        weight = parts.new_zeros(end, 1)
        for index, start in enumerate(self.starts):
            total[:, start : start + self.length] += grouped[:, index] * ramp[:, None]
            weight[start : start + self.length] += ramp[:, None]
        return (total / weight)[:, : self.n]
