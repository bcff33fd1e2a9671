"""Define small encoders of moving frames, and of audio in context."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._parts.blocks import Context
from foleymodels._parts.frame_maps import REACH, unit_size

_PATCH = 4
_FIRST, _SECOND = 32, 64
N_COLOURS = 3
N_PLANES = N_COLOURS + 2 * REACH


class FrameEncoder(nn.Module):
    """A frame's colours, and its motion against two frames to either side; the same for every small video encoder."""

    def __init__(self, cells: int, dim: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(N_PLANES, _FIRST, _PATCH, stride=_PATCH)
        self.maps = nn.Conv2d(_FIRST, _SECOND, 3, stride=2, padding=1)
        side = -(-(cells // _PATCH) // 2)
        self.project = nn.Linear(_SECOND * side * side, dim)
        self.hidden = nn.Parameter(torch.zeros(_FIRST))

    def forward(self, maps: Tensor) -> Tensor:
        """Encode the frames of a stretch of video.

        Args:
            maps: Shape (batch, n, cells, cells, 6) uint8; the first three quantities are the colours.

        Returns:
            Shape (batch, n, dim), each feature normalised to zero mean and unit size.
        """
        return self.encode(planes_in_time(maps))

    def encode(self, seen: Tensor, mask: Tensor | None = None) -> Tensor:
        """Encode planes of frames.

        Args:
            seen: From ``planes_in_time`` or ``planes``, shape (batch, n, 7, cells, cells).
            mask: Patches that are hidden with their motion, shape (batch * n, cells // 4, cells // 4), or None.

        Returns:
            Shape (batch, n, dim), each feature normalised to zero mean and unit size.
        """
        x = self.patches(seen.flatten(0, 1))
        if mask is not None:
            x = torch.where(mask[:, None], self.hidden[None, :, None, None], x)
        x = F.silu(self.maps(F.silu(x)))
        projected: Tensor = self.project(x.flatten(1))
        return F.layer_norm(projected, projected.shape[-1:]).reshape(*seen.shape[:2], -1)


def planes_in_time(maps: Tensor) -> Tensor:
    """Return colour and motion of all frames of a stretch of video; beyond both ends the end's frame is repeated.

    The same as ``planes`` of every frame with its neighbours, to the bit, in less time: brightness is taken
    once for each frame, not once for each neighbour.

    Args:
        maps: Shape (batch, n, cells, cells, 6) uint8.

    Returns:
        Shape (batch, n, 7, cells, cells).
    """
    colour = _colour(maps)
    brightness, n = colour.mean(2), maps.shape[1]
    before, after = (brightness[:, at : at + 1].expand(-1, REACH, -1, -1) for at in (0, n - 1))
    padded = torch.cat([before, brightness, after], dim=1)
    return _joined(colour, [padded[:, shift : shift + n] for shift in range(2 * REACH + 1)])


def planes(stacks: Tensor) -> Tensor:
    """Return colour and motion of frames that come with their neighbours.

    Motion is the brightness of each neighbour less the frame's own, scaled to unit size over all frames of a clip, so
    that low contrast is seen as well.

    Args:
        stacks: Shape (batch, n, 5, cells, cells, 6) uint8, each frame in the middle of its neighbours.

    Returns:
        Colours in [-1, 1], then four differences, shape (batch, n, 7, cells, cells).
    """
    colour = _colour(stacks)
    return _joined(colour[:, :, REACH], list(colour.mean(3).unbind(2)))


def _colour(maps: Tensor) -> Tensor:
    """Return the colours of maps (..., cells, cells, 6) in [-1, 1], shape (..., 3, cells, cells)."""
    return maps[..., :N_COLOURS].movedim(-1, -3).float().contiguous() / 128.0 - 1.0


def _joined(colour: Tensor, brightness: list[Tensor]) -> Tensor:
    """Put colour beside motion: the brightness of each neighbour, in order of time, less the frame's own."""
    change = [level - brightness[REACH] for shift, level in enumerate(brightness) if shift != REACH]
    return torch.cat([colour, unit_size(torch.stack(change, dim=2))], dim=2)


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
