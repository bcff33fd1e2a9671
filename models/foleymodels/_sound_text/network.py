"""Define the sound-text model: audio against captions on a sphere.

It stands for CLAP (Wu et al. 2023) where a system of the paper has it: the contrast is symmetric, and clips with the
same caption share it as their target, because class names repeat within a batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._parts.contrast import LOG_SCALE, scale_of
from foleymodels._small_encoders.nets import AudioEncoder
from foleymodels._sound_text.settings import SoundTextSettings
from foleymodels._sound_text.text import TextEncoder


class VectorTower(nn.Module):
    """Mel tokens to one unit vector: a context of four tokens to each side, then mean and maximum over time."""

    def __init__(self, token_dim: int, dim: int, vector_dim: int) -> None:
        super().__init__()
        self.encoder = AudioEncoder(token_dim, dim)
        self.leave = nn.Linear(2 * dim, vector_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return unit vectors (batch, vector_dim) of tokens (batch, n, token_dim)."""
        states = self.encoder(tokens)
        return F.normalize(self.leave(torch.cat([states.mean(1), states.amax(1)], dim=-1)), dim=-1)


class SoundText(nn.Module):
    """Audio and captions as unit vectors of one space.

    Attributes:
        text: The text encoder.
    """

    def __init__(self, settings: SoundTextSettings) -> None:
        super().__init__()
        sound = settings.sound
        self.tower = VectorTower(settings.signal.mel.token_dim, sound.sound_dim, sound.vector_dim)
        self.text = TextEncoder(settings.text)
        self.leave = nn.Linear(settings.text.text_dim, sound.vector_dim)
        self.log_scale = nn.Parameter(torch.tensor(LOG_SCALE))

    def hear(self, tokens: Tensor) -> Tensor:
        """Return the vectors of audio.

        Args:
            tokens: Mel tokens, shape (batch, n, token_dim).

        Returns:
            Unit vectors, shape (batch, vector_dim).
        """
        out: Tensor = self.tower(tokens)
        return out

    def read(self, captions: Sequence[str]) -> Tensor:
        """Return the vectors of captions, unit, shape (n_captions, vector_dim)."""
        return F.normalize(self.leave(self.text.pooled(captions)), dim=-1)

    def contrast(self, sound: Tensor, text: Tensor, same: Tensor) -> Tensor:
        """Return the symmetric loss of finding a clip's caption among the others, and the other way round.

        Args:
            sound: Unit vectors, shape (n, vector_dim).
            text: Of the clips' captions, same shape.
            same: Where two clips have the same caption, shape (n, n) bool.
        """
        wanted = same.float() / same.sum(1, keepdim=True)
        logits = scale_of(self.log_scale) * sound @ text.T
        return (F.cross_entropy(logits, wanted) + F.cross_entropy(logits.T, wanted)) / 2
