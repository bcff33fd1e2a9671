"""Train the vocoder on the audio of a split.

Losses are on spectra at several resolutions and on the mel tokens; no GAN.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from foleybench.errors import UnknownNameError, unknown
from foleybench.media.audio import fit_length, resample
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts.mel import Mel, MelSettings
from foleymodels._parts.settings import parsed
from foleymodels._training.data_parallel import share
from foleymodels._training.loop import Losses, batch_indices
from foleymodels._vocoders.vocos import Vocos, VocosShape

RESOLUTIONS = (256, 512, 1024, 2048)
_FLOOR = 1e-4
# Crops are made louder or quieter by up to this while training.
_GAIN_DB = 10.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class VocoderRecipe(VocosShape):
    """The settings of the network and its training.

    Attributes:
        steps: Optimiser steps.
        batch: Crops a step.
        crop_s: Length of the crops in seconds.
        learning_rate: Peak learning rate.
        ema_decay: Decay of the averaged weights.
        mel_weight: Weight of the error of the mel tokens.
    """

    steps: int = 2000
    batch: int = 12
    crop_s: float = 1.024
    learning_rate: float = 1e-3
    ema_decay: float = 0.99
    mel_weight: float = 1.0

    @property
    def shape(self) -> VocosShape:
        """The network alone."""
        return VocosShape(dim=self.dim, hidden=self.hidden, blocks=self.blocks, projections=self.projections)


# Vocos' own width and depth for a GPU; the sizes differ in their mel settings.
_LARGE = VocoderRecipe(dim=512, hidden=1536, blocks=8, steps=100_000, batch=64, learning_rate=5e-4, ema_decay=0.999)
RECIPES = {"tiny": VocoderRecipe(), "base": _LARGE, "std16k": _LARGE, "paper": _LARGE}


def vocoder_recipe(size: str, steps: int | None, overrides: dict[str, str]) -> VocoderRecipe:
    """Return the recipe of a size with overrides applied.

    Raises:
        UnknownNameError: There is no such size or setting, or a value is not a positive number.
    """
    if size not in RECIPES:
        raise UnknownNameError(unknown("size", size, RECIPES))
    changed: dict[str, Any] = {} if steps is None else {"steps": steps}
    changed |= {name: parsed(VocoderRecipe, name, text) for name, text in overrides.items()}
    small = sorted(name for name, value in changed.items() if not value > 0 and name != "projections")
    if small:
        raise UnknownNameError(f"{small[0]}={changed[small[0]]}: it must be above 0.")
    return dataclasses.replace(RECIPES[size], **changed)


class Crops:
    """Crops of the audio of a split, decoded on demand: any number of clips, no memory."""

    def __init__(self, data: ShardDataset, mel: MelSettings, crop_s: float) -> None:
        unit = mel.hop * mel.frames_per_token
        self.n_samples = max(1, round(crop_s * mel.rate_hz / unit)) * unit
        self._data, self._rate_hz = data, mel.rate_hz

    def batch(self, indices: Tensor, generator: torch.Generator) -> Tensor:
        """Return this process's crops, at random places and of random loudness, shape (its share of batch, n_samples).

        Args:
            indices: Clips of the whole batch.
            generator: Source of places and loudness, drawn for the whole batch too.
        """
        drawn = share().rows(torch.rand((len(indices), 2), generator=generator)).tolist()
        chosen = share().rows(indices).tolist()
        return torch.stack([self._crop(index, *numbers) for index, numbers in zip(chosen, drawn, strict=True)])

    def _crop(self, index: int, place: float, loudness: float) -> Tensor:
        audio = self.whole(index)
        start = int(place * max(0, len(audio) - self.n_samples + 1))
        crop = fit_length(audio[start : start + self.n_samples], self.n_samples)
        gain: float = 10.0 ** ((2 * loudness - 1) * _GAIN_DB / 20)
        return torch.from_numpy(crop) * gain

    def whole(self, index: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the whole audio of a clip at the mel settings' rate; silence when it has none."""
        clip = self._data.load(self._data.clip_ids[index], video=False)
        if clip.audio is None:
            return np.zeros(self.n_samples, dtype=np.float32)
        return resample(clip.audio, clip.rate_hz, self._rate_hz)


def loss_of(module: Vocos, recipe: VocoderRecipe, crops: Crops, n_clips: int, seed: int) -> Any:
    """Return the function from (step, generator) to losses that the training loop wants."""

    def losses(step: int, generator: torch.Generator) -> Losses:
        audio = crops.batch(batch_indices(n_clips, min(recipe.batch, n_clips), step, seed), generator)
        tokens = module.mel.tokens(audio)
        device = module.leave.weight.device
        made, audio = module(tokens.to(device), audio.shape[-1]), audio.to(device)
        spectral, mel = spectral_distance(made, audio), mel_distance(module.mel, made.cpu(), tokens).to(device)
        return {"loss": spectral + recipe.mel_weight * mel, "spectral": spectral, "mel": mel}

    return losses


def spectral_distance(made: Tensor, audio: Tensor) -> Tensor:
    """Return the mean over resolutions of relative error plus distance of log magnitudes (natural), both (batch, N).

    Source: Yamamoto, Song, Kim 2020, "Parallel WaveGAN", Eqs. 4 to 6.
    """
    total = made.new_zeros(())
    for n_fft in RESOLUTIONS:
        window = torch.hann_window(n_fft, device=made.device)
        ours, theirs = (_magnitudes(x, n_fft, window) for x in (made, audio))
        relative = torch.linalg.vector_norm(ours - theirs) / torch.linalg.vector_norm(theirs).clamp_min(_FLOOR)
        total = total + relative + F.l1_loss(ours.clamp_min(_FLOOR).log(), theirs.clamp_min(_FLOOR).log())
    return total / len(RESOLUTIONS)


def _magnitudes(x: Tensor, n_fft: int, window: Tensor) -> Tensor:
    spectrum = torch.stft(x, n_fft, n_fft // 4, window=window, return_complex=True) / float(window.sum())
    # The root has no slope at 0.
    return (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()


def mel_distance(mel: Mel, made: Tensor, tokens: Tensor) -> Tensor:
    """Return the mean distance of the tokens of some audio from given ones."""
    return F.l1_loss(mel.tokens(made), tokens)
