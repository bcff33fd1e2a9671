"""Make optimisers and their learning-rate schedules."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

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
        other_rates: Peak learning rates of parts of the network, by the name that their parameters begin with.
        micro_batches: Parts of each batch that are taken one after the other, in the memory of one.
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
    other_rates: tuple[tuple[str, float], ...] = ()
    micro_batches: int = 1


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
    """Return the optimiser of a network's parameters; every group has its ``peak``, as a multiple of the main rate.

    Raises:
        ValueError: A part with another rate has no parameters.
    """
    if settings.optimiser == "adam":
        return torch.optim.Adam(_groups(module, settings, (0.0,)), lr=settings.learning_rate)
    groups = _groups(module, settings, (settings.weight_decay, 0.0))
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.95))


def _groups(module: nn.Module, settings: FitSettings, decays: tuple[float, ...]) -> list[dict[str, Any]]:
    """Return parameters by rate, and by weight decay where there are two: that of matrices, and that of vectors."""
    left = dict(module.named_parameters())
    parts: list[tuple[float, list[nn.Parameter]]] = []
    for prefix, rate in settings.other_rates:
        chosen = [name for name in left if name.startswith(f"{prefix}.")]
        if not chosen:
            raise ValueError(f"no parameter begins with {prefix!r}, which has a rate of its own.")
        parts.append((rate / settings.learning_rate, [left.pop(name) for name in chosen]))
    groups: list[dict[str, Any]] = []
    for peak, values in [(1.0, list(left.values())), *parts]:
        matrices = [value for value in values if value.ndim >= 2]
        cut = [values] if len(decays) == 1 else [matrices, [value for value in values if value.ndim < 2]]
        for decay, group in zip(decays, cut, strict=True):
            groups.append({"params": group, "weight_decay": decay, "peak": peak})
    return [group for group in groups if group["params"]]
