"""Train a network that predicts masked codes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from foleymodels._codecs.stage import codec_in
from foleymodels._codes.masks import DrawMask
from foleymodels._codes.network import masked_loss
from foleymodels._systems.features import frame_conditions
from foleymodels._systems.parts import SystemRun
from foleymodels._training.data_parallel import share
from foleymodels._training.loop import Losses, n_parameters, write_metrics

GENERATOR = "generator"
PredictCodes = Callable[[Tensor, Tensor, Tensor], Tensor]


def train_masked(
    run: SystemRun,
    network: nn.Module,
    predict_of: Callable[[Tensor], PredictCodes],
    draw_mask: DrawMask,
    *,
    smoothing: float = 0.0,
) -> None:
    """Train by the settings ``net`` on crops: the true codes where they are masked, from the others and the frames.

    Args:
        run: The run; its averaged weights are left in the network.
        network: The network, on its device.
        predict_of: From clips (batch,) to the function from codes (batch, n, levels) with masks, features (batch, n,
            condition_dim), and which examples are without video (batch,), to logits (batch, n, levels, n_codes).
        draw_mask: From a shape to masks.
        smoothing: Label smoothing.
    """
    job, settings, codec, conditions = run.job, run.settings.net, codec_in(run.parts), frame_conditions(run)
    device, n_tokens = job.context.device, run.settings.signal.tokens(settings.net_crop_s)

    def losses(step: int, generator: torch.Generator) -> Losses:
        crops = job.draw_crops(settings.net_batch, n_tokens, step, generator)
        codes = codec.encode(job.data.crop_tokens(*crops, n_tokens, device))
        masks = draw_mask((settings.net_batch, n_tokens, codec.levels), generator)
        dropped = share().rows(torch.rand(settings.net_batch, generator=generator) < settings.net_drop_p).to(device)
        mask = share().rows(masks).to(device)
        logits = predict_of(crops[0])(
            torch.where(mask, codec.n_codes, codes), conditions.crop(*crops, n_tokens, device), dropped
        )
        loss = masked_loss(logits, codes, mask, float(masks.sum()) / share().of, smoothing)
        right = (logits.argmax(-1) == codes)[mask].float().mean()
        return {"loss": loss, "accuracy": right}

    facts = job.fit(
        network, losses, GENERATOR, steps=settings.net_steps, rate=settings.net_rate, ema=settings.net_ema,
        name=GENERATOR, monitor=run.monitor(GENERATOR, network),
    )  # fmt: skip
    write_metrics(job.context.out, {GENERATOR: {**facts, "parameters": n_parameters(network)}})
    network.eval()
