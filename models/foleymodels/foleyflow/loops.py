"""What the training loops of all stages share: how they go, which crops they see, and what is shown meanwhile."""

from __future__ import annotations

import torch
from torch import Tensor

from foleybench.api.model import TrainContext
from foleybench.clips import IntArray
from foleymodels._training.data_parallel import share
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import Watch, batch_indices
from foleymodels._training.optimisers import LoopSettings
from foleymodels.foleyflow.samples import Networks, Sampler
from foleymodels.foleyflow.settings import Settings
from foleymodels.foleyflow.sizes import RunOptions


def loop_settings(settings: Settings, options: RunOptions, stage: str) -> LoopSettings:
    """Return how the loop of a stage goes: ``alignment``, ``flow`` or ``head``."""
    steps, rate, decay = {
        "alignment": (settings.vama_steps, settings.vama_rate, settings.vama_ema),
        "flow": (settings.flow_steps, settings.flow_rate, settings.ema_decay),
        "head": (settings.head_steps, settings.head_rate, settings.ema_decay),
    }[stage]
    return LoopSettings(
        steps=steps,
        learning_rate=rate,
        ema_decay=decay,
        save_every_s=options.save_every_s,
        optimiser=settings.optimiser,
        schedule=settings.schedule,
        precision=settings.precision,
    )


def draw_crops(
    data: TrainingData, batch: int, n_tokens: int, step: int, seed: int, generator: torch.Generator
) -> tuple[Tensor, IntArray]:
    """Return this process's share of a step's batch: which clips, and where their crops start."""
    indices = batch_indices(len(data), batch, step, seed)
    starts = data.starts(indices, n_tokens, generator)
    return share().rows(indices), share().rows(starts)


def watch_of(context: TrainContext, networks: Networks | None = None, folder: str = "samples") -> Watch:
    """Return what a stage does beside training.

    Args:
        context: What was asked for.
        networks: Makes copies of the networks that make sound from averaged weights; None where a stage has none.
        folder: Where its samples go, below the run folder.
    """
    if networks is None or not context.sample_every:
        return Watch(tensorboard=context.tensorboard)
    manifest = context.val or context.data
    sampler = Sampler(manifest, context.out / folder, networks, seed=context.seed, device=context.device)
    return Watch(tensorboard=context.tensorboard, sample_every=context.sample_every, sample=sampler)
