"""Choose a model's vocoder: Griffin-Lim or a trained one.

Griffin-Lim is the default, a trained one is used when the user names it, alike for all models.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from foleybench.api.model import BuildContext
from foleymodels._parts.mel import Mel, MelSettings
from foleymodels._vocoders import vocos
from foleymodels._vocoders.griffin_lim import griffin_lim


class Vocoder(Protocol):
    """Turns mel tokens into audio.

    Attributes:
        name: Name of the vocoder, with all settings that decide its audio.
    """

    name: str

    def __call__(self, tokens: Tensor, n_samples: int) -> Tensor:
        """Return audio (batch, n_samples) on the CPU from tokens (batch, n_tokens, token_dim)."""
        ...


class GriffinLim:
    """Griffin-Lim, which needs no training."""

    def __init__(self, mel: MelSettings, iterations: int) -> None:
        self.name = f"griffin_lim, {iterations} iterations"
        self._mel, self._iterations = Mel(mel), iterations

    def __call__(self, tokens: Tensor, n_samples: int) -> Tensor:
        """Return audio."""
        return griffin_lim(self._mel, tokens.cpu(), n_samples, iterations=self._iterations)


class TrainedVocoder:
    """A network in a checkpoint folder."""

    def __init__(self, module: vocos.Vocos, name: str, device: str) -> None:
        self.name = name
        self._module, self._device = module.to(device), device

    @torch.inference_mode()
    def __call__(self, tokens: Tensor, n_samples: int) -> Tensor:
        """Return audio."""
        audio: Tensor = self._module(tokens.to(self._device), n_samples)
        return audio.cpu()


def vocoder_of(context: BuildContext, mel: MelSettings, iterations: int) -> Vocoder:
    """Return the vocoder that a model was asked to use.

    Args:
        context: The settings that the model is built from.
        mel: The mel settings of its tokens.
        iterations: Iterations of Griffin-Lim, when no trained vocoder was named.

    Raises:
        FoleyError: The named one cannot be read, or is for other mel settings.
    """
    if context.vocoder is None:
        return GriffinLim(mel, iterations)
    return TrainedVocoder(*vocos.load_vocos(context.vocoder, mel), context.device)
