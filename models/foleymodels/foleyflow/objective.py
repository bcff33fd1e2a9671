"""What an objective of the first stage is given, and what it returns.

``vama`` is the paper's (Eq. 4); ``infonce``, ``cavp``, ``onset_sup`` and ``none`` are what the ablation compares it
with.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from foleybench.clips import IntArray
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import Losses
from foleymodels.foleyflow.alignment import Alignment
from foleymodels.foleyflow.settings import Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draw:
    """A batch as clip numbers: training takes sound and picture of the same clip, diagnostics do not.

    Attributes:
        data: Where the clips are.
        sound: Clips whose sound is taken, shape (batch,).
        picture: Clips whose picture is taken, shape (batch,).
        starts: Where each crop starts, in units of the data, shape (batch,).
        shift_frames: By how many frames the picture is late, cyclically within the crop.
    """

    data: TrainingData
    sound: Tensor
    picture: Tensor
    starts: IntArray
    shift_frames: int = 0

    def frames(self, n_frames: int, offsets: IntArray | int = 0) -> Tensor:
        """Return maps of the picture, shape (batch, n_frames, cells, cells, 6) uint8."""
        frames = self.data.crop_frames(self.picture, self.starts + offsets, n_frames)
        return frames.roll(self.shift_frames, dims=1) if self.shift_frames else frames

    def tokens(self, n_tokens: int, offsets: IntArray | int = 0) -> Tensor:
        """Return the sound, shape (batch, n_tokens, token_dim)."""
        return self.data.crop_tokens(self.sound, self.starts + offsets, n_tokens)

    def targets(self, n_tokens: int) -> Tensor | None:
        """Return a large encoder's features of the sound, shape (batch, n_tokens, dim), where the data has them."""
        return self.data.crop_targets(self.sound, self.starts, n_tokens)


class Objective(nn.Module):
    """An objective with the network that it trains; whatever else it needs is thrown away after training.

    Attributes:
        alignment: The network.
    """

    def __init__(self, alignment: Alignment) -> None:
        super().__init__()
        self.alignment = alignment

    @property
    def settings(self) -> Settings:
        """Settings of the network."""
        return self.alignment.settings

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.alignment.parameters()).device

    @property
    def crop_tokens(self) -> int:
        """Length in tokens of the stretch of a clip that an example is cut from."""
        return self.settings.vama_tokens

    def forward(self, draw: Draw, generator: torch.Generator) -> Losses:
        """Return named losses of a batch; ``loss`` is minimised.

        Args:
            draw: The batch.
            generator: The only source of randomness.
        """
        raise NotImplementedError
