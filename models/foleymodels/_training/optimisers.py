"""Make optimisers and their learning-rate schedules."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import nn


@dataclasses.dataclass(frozen=True, kw_only=True)
class FitSettings:
    """The settings of a network's training.

    Attributes:
        steps: Number of optimiser steps.
        learning_rate: Peak of the schedule.
        warmup_steps: Steps of the cosine schedule's linear warm-up, at most a tenth of all.
        weight_decay: Weight decay of AdamW, on matrices only.
        clip_norm: Largest gradient norm.
        ema_decay: Decay of the averaged weights, which are kept.
        save_every_s: Seconds between checkpoints, more where writing one takes over a second.
        log_every: Steps between log lines.
        optimiser: ``adamw`` (betas 0.9 and 0.95) or ``adam`` (as published: betas 0.9 and 0.999, no weight decay).
        schedule: ``cosine`` after a linear warm-up, or ``constant`` from the first step on.
        precision: ``float32``, or ``bfloat16`` for what autocast deems safe; weights and their updates stay float32.
        most_bad_steps: Steps in a row without a finite loss and gradient that end the run; fewer are left out.
    """

    steps: int
    learning_rate: float
    warmup_steps: int = 50
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema_decay: float = 0.995
    save_every_s: float = 20.0
    log_every: int = 10
    optimiser: str = "adamw"
    schedule: str = "cosine"
    precision: str = "float32"
    most_bad_steps: int = 10


def learning_rate(step: int, settings: FitSettings) -> float:
    """Return the rate at a step: constant, or a linear warm-up, then a cosine to a hundredth of the peak."""
    if settings.schedule == "constant":
        return settings.learning_rate
    warmup = max(1, min(settings.warmup_steps, settings.steps // 10))
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(1, settings.steps - warmup)
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def optimiser_of(module: nn.Module, settings: FitSettings) -> torch.optim.Optimizer:
    """Return the optimiser of a network's parameters."""
    if settings.optimiser == "adam":
        return torch.optim.Adam(module.parameters(), lr=settings.learning_rate)
    matrices = [p for p in module.parameters() if p.ndim >= 2]
    vectors = [p for p in module.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=settings.learning_rate, betas=(0.9, 0.95))
