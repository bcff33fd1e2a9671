"""Pretrain small encoders, and keep them beside the decoded data.

Pretraining runs once per data set, settings and seed.
"""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import torch
from torch import Tensor

from foleybench.files import canonical_json
from foleymodels._parts import checkpoint
from foleymodels._small_encoders.objectives import OBJECTIVES
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import Losses, batch_indices, fit, forget_state, seeded
from foleymodels._training.optimisers import FitSettings

KIND = "small_encoder"
_VERSION = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretextSettings:
    """The settings of a small encoder's pretraining.

    Attributes:
        name: ``image_label``, ``mae``, ``av_contrast`` or ``audio_mae``.
        dim: Width of its features.
        steps: Optimiser steps.
        batch: Clips a step.
        rate: Peak learning rate.
        seed: Seed of every random choice.
    """

    name: str
    dim: int
    steps: int
    batch: int
    rate: float
    seed: int


def pretrained(settings: PretextSettings, data: TrainingData, device: str = "cpu") -> dict[str, Tensor]:
    """Return the weights of a small encoder, after training it if needed.

    Args:
        settings: The encoder and its training.
        data: Training data; the weights are kept in a folder beside it.
        device: Torch device of that training; weights trained on another are as good.

    Returns:
        Weights by name: ``picture.*``, ``sound.*`` or both, and weights that only training needs.
    """
    record = {"version": _VERSION, "settings": dataclasses.asdict(settings), "data": data.folder.name}
    key = hashlib.sha256(canonical_json(record).encode()).hexdigest()[:16]
    folder = data.folder.parent / f"encoder-{settings.name}-{key}"
    if not (folder / checkpoint.CONFIG).is_file():
        _train(settings, data, folder, device)
    return checkpoint.read_checkpoint(folder, KIND)[0]


def _train(settings: PretextSettings, data: TrainingData, folder: Path, device: str) -> None:
    make = OBJECTIVES[settings.name]
    cells, token_dim = data.settings.cells, data.settings.mel.token_dim
    module = seeded(lambda: make(data, cells, token_dim, settings.dim), settings.seed).to(device)

    def losses(step: int, generator: torch.Generator) -> Losses:
        indices = batch_indices(len(data), min(settings.batch, len(data)), step, settings.seed)
        return {"loss": module(data, indices, generator)}

    loop = FitSettings(steps=settings.steps, learning_rate=settings.rate, ema_decay=0.98)
    weights = fit(module, losses, loop, folder, seed=settings.seed, name=f"encoder ({settings.name})", alone=True)
    checkpoint.write_checkpoint(folder, KIND, weights, {"settings": dataclasses.asdict(settings)})
    forget_state(folder)
