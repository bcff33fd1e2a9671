"""Train by conditional flow matching on crops of mel tokens.

The divergence of the paper's Eqs. 3 and 7 is not optimised, because a velocity network has no tractable likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from foleybench.api.model import Generator
from foleybench.clips import IntArray
from foleymodels._flow.network import Flow
from foleymodels._parts.paths import draw_times
from foleymodels._training.data_parallel import share
from foleymodels._training.job import Job
from foleymodels._training.loop import Losses, n_parameters, write_metrics
from foleymodels._training.samples import averaged
from foleymodels._training.transfer import to_device

FOLDER = "flow"
CropConditions = Callable[[Tensor, IntArray, int, torch.device], Tensor]


def train_flow(job: Job, flow: Flow, condition_of: CropConditions, generator_of: Callable[[Flow], Generator]) -> None:
    """Train a flow on conditions that stay as they are; its averaged weights are left in it.

    Args:
        job: The run.
        flow: The network, on its device.
        condition_of: From clips (batch,), where their crops start (in units of the data), a number of tokens and
            a device to conditions there, shape (batch, n_tokens, condition_dim).
        generator_of: Makes the generator of samples from a flow.
    """

    def loss(indices: Tensor, starts: IntArray, generator: torch.Generator) -> Tensor:
        n_tokens, device = crop_tokens(flow), flow.null.device
        tokens = job.data.crop_tokens(indices, starts, n_tokens, device)
        return flow_loss(flow, tokens, condition_of(indices, starts, n_tokens, device), generator)

    fit_flow(job, flow, flow, loss, lambda weights: generator_of(averaged(flow, weights)))


def fit_flow(
    job: Job,
    module: nn.Module,
    flow: Flow,
    loss: Callable[[Tensor, IntArray, torch.Generator], Tensor],
    generator_of: Callable[[dict[str, Tensor]], Generator],
    *,
    steps: int | None = None,
    other_rates: tuple[tuple[str, float], ...] = (),
) -> None:
    """Train a flow, or a module that it is part of.

    Args:
        job: The run.
        module: The trained module; its averaged weights are left in it.
        flow: The flow.
        loss: From clips, starts of crops and a random generator to the loss.
        generator_of: Makes the generator of samples from averaged weights of the module.
        steps: Optimiser steps; the flow's by default.
        other_rates: Peak learning rates of other parts of the module, by the name that their parameters begin with.
    """
    settings = flow.settings

    def losses(step: int, generator: torch.Generator) -> Losses:
        crops = job.draw_crops(settings.flow_batch, crop_tokens(flow), step, generator)
        return {"loss": loss(*crops, generator)}

    facts: dict[str, Any] = job.fit(
        module, losses, FOLDER, steps=settings.flow_steps if steps is None else steps, rate=settings.flow_rate,
        ema=settings.ema_decay, name=f"flow ({settings.path}, {settings.condition})", other_rates=other_rates,
        monitor=job.monitor(generator_of, flow.mel),
    )  # fmt: skip
    write_metrics(job.context.out, {FOLDER: {**facts, "parameters": n_parameters(flow)}})
    module.eval()


def crop_tokens(flow: Flow) -> int:
    """Return the mel tokens of a training example."""
    return round(flow.settings.flow_crop_s * flow.mel.token_hz)


def flow_loss(flow: Flow, tokens: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:
    """Return the conditional flow matching loss of a batch, or of a share of it: squared error on the velocity.

    The error is in units of the path's speed when times are matched, unscaled when they are raw.

    Args:
        flow: The network.
        tokens: Data, shape (batch, n, token_dim).
        condition: Shape (batch, n, condition_dim).
        generator: Source of times, noise and dropped conditions.
    """
    settings, chosen, device, part = flow.settings, flow.path, tokens.device, share()
    n = len(tokens) * part.of  # all that is random is drawn for the whole batch
    tau = draw_times(
        chosen, n, generator, mean=settings.noise_mean, spread=settings.noise_spread,
        pure_noise_p=settings.pure_noise_p, raw=settings.times == "raw",
    )  # fmt: skip
    noise = to_device(part.rows(torch.randn((n, *tokens.shape[1:]), generator=generator)), device)
    dropped = part.rows(torch.rand(n, generator=generator) < settings.drop_p).to(device)
    if settings.condition == "none":
        dropped = torch.ones_like(dropped)
    tau = part.rows(tau).to(device)
    at = tau[:, None, None]
    predicted = flow(chosen.mix(tokens, noise, at), tau, flow.prepare(condition), dropped)
    errors: Tensor = (predicted - chosen.target(tokens, noise, at)).square().mean((1, 2))
    if flow.warp is not None and flow.training:
        flow.warp.update(part.gathered(tau), part.gathered(errors.detach()))
    return errors.mean() * (chosen.speed**2 if settings.times == "raw" else 1.0)
