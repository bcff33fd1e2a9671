"""Declare the input and output of an alignment objective."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from foleybench.clips import IntArray
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.settings import AlignmentSettings
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import Losses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draw:
    """A batch as clip numbers: training takes audio and video of the same clip, diagnostics do not.

    Attributes:
        data: The decoded data.
        audio_of: Clips whose audio is used, shape (batch,).
        video_of: Clips whose video is used, shape (batch,).
        starts: Start of each crop, in units of the data, shape (batch,).
        shift_frames: By how many frames the video is late, cyclically within the crop.
        mirrored: Whether maps are seen in a mirror, shape (batch,); None for none. Features have no mirror image.
    """

    data: TrainingData
    audio_of: Tensor
    video_of: Tensor
    starts: IntArray
    shift_frames: int = 0
    mirrored: Tensor | None = None

    def frames(self, n_frames: int, offsets: IntArray | int = 0) -> Tensor:
        """Return maps of the frames, shape (batch, n_frames, cells, cells, 6) uint8."""
        frames = self.data.crop_frames(self.video_of, self.starts + offsets, n_frames)
        if self.mirrored is not None and frames.ndim == 5:
            frames = torch.where(self.mirrored[:, None, None, None, None], frames.flip(3), frames)
        return frames.roll(self.shift_frames, dims=1) if self.shift_frames else frames

    def tokens(self, n_tokens: int, offsets: IntArray | int = 0, device: torch.device | str = "cpu") -> Tensor:
        """Return the mel tokens, shape (batch, n_tokens, token_dim), on a device."""
        return self.data.crop_tokens(self.audio_of, self.starts + offsets, n_tokens, device)

    def targets(self, n_tokens: int) -> Tensor | None:
        """Return a large encoder's features of the audio, shape (batch, n_tokens, dim), where the data has them."""
        return self.data.crop_targets(self.audio_of, self.starts, n_tokens)


class Objective(nn.Module):
    """An objective with the network that it trains; its other parts are discarded after training.

    Attributes:
        alignment: The network.
    """

    def __init__(self, alignment: Alignment) -> None:
        super().__init__()
        self.alignment = alignment

    @property
    def settings(self) -> AlignmentSettings:
        """Settings of the network."""
        return self.alignment.settings

    @property
    def device(self) -> torch.device:
        """Device of the network."""
        return next(self.alignment.parameters()).device

    @property
    def n_tokens(self) -> int:
        """Mel tokens of an example."""
        return self.alignment.signal.tokens(self.settings.vama_crop_s)

    @property
    def n_frames(self) -> int:
        """Frames of an example."""
        return self.alignment.signal.frames(self.settings.vama_crop_s)

    @property
    def crop_tokens(self) -> int:
        """Length in tokens of the stretch of a clip that an example is cut from."""
        return self.n_tokens

    def forward(self, draw: Draw, generator: torch.Generator) -> Losses:
        """Return named losses of a batch; ``loss`` is minimised.

        Args:
            draw: The batch.
            generator: The only source of randomness.
        """
        raise NotImplementedError
