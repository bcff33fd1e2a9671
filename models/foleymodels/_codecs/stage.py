"""Train the codec as a part, and measure it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from foleymodels._codecs.codec import Codec, ResidualCodec
from foleymodels._codecs.settings import CodecSettings, CodecStageSettings
from foleymodels._codecs.usage import usage_of
from foleymodels._systems.parts import Parts, SystemPart, SystemRun, own_part
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.job import Job
from foleymodels._training.loop import Losses, n_parameters, write_metrics

FOLDER = "codec"
TAG = "residual_codec"
# Clips of the validation data that it is measured on.
_N_MEASURED = 200


def train_codec(job: Job, codec: Codec, *, crop_s: float, steps: int, batch: int, rate: float, name: str) -> None:
    """Train a codec on crops of mel tokens, and write its measurements to ``metrics.json``.

    Args:
        job: The run.
        codec: The codec, on its device.
        crop_s: Length of the crops.
        steps: Optimiser steps.
        batch: Crops a step.
        rate: Peak learning rate.
        name: Name of the part, also its folder.
    """
    n_tokens = round(crop_s * codec.mel.token_hz)

    def losses(step: int, generator: torch.Generator) -> Losses:
        crops = job.draw_crops(batch, n_tokens, step, generator)
        return codec_losses(codec, job.data.crop_tokens(*crops, n_tokens, job.context.device), generator)

    # Codes are running means already; a second average over steps would mix codes from before and after a restart.
    facts = job.fit(codec, losses, name, steps=steps, rate=rate, ema=0.0, name=name)
    found = measured_codec(codec.eval(), job.val, job.context.device)
    write_metrics(job.context.out, {name: {**facts, **found, "parameters": n_parameters(codec)}})


def codec_losses(codec: Codec, tokens: Tensor, generator: torch.Generator) -> Losses:
    """Return the losses of a codec in full precision: codes that are means of few vectors need it."""
    with torch.autocast(tokens.device.type, enabled=False):
        return codec.losses(tokens, generator)


@torch.inference_mode()
def measured_codec(codec: Codec, data: TrainingData, device: str) -> dict[str, Any]:
    """Return how well a codec rebuilds whole clips, and how its codebooks are used.

    Args:
        codec: The trained codec.
        data: Clips.
        device: Torch device of the codec.

    Returns:
        ``val_mel``: mean absolute error of mel tokens (standard deviations); ``used`` and ``perplexity`` for every
        level (``usage_of``).
    """
    errors, found = [], []
    for tokens in _clips(data):
        tokens = tokens.to(device)
        codes = codec.encode(tokens)
        rebuilt = codec.decode(codes)[:, : tokens.shape[1]]
        errors.append(float((rebuilt - tokens).abs().mean()))
        found.append(codes.reshape(-1, codec.levels).cpu())
    usage = usage_of(torch.cat(found), codec.n_codes)
    return {"val_mel": round(sum(errors) / len(errors), 6), "used": usage.used, "perplexity": usage.perplexity}


def _clips(data: TrainingData) -> Iterator[Tensor]:
    for index in range(min(len(data), _N_MEASURED)):
        first, last = data.token_offsets[index], data.token_offsets[index + 1]
        yield torch.from_numpy(data.tokens[first:last].copy()).float()[None]


def new_residual_codec(settings: CodecStageSettings) -> ResidualCodec:
    """Return an untrained codec."""
    return ResidualCodec(settings.codec, settings.signal.mel)


def train_residual_codec(job: Job, settings: CodecSettings, codec: Codec) -> None:
    """Train a codec by its settings, see ``train_codec``."""
    train_codec(
        job, codec, crop_s=settings.codec_crop_s, steps=settings.codec_steps, batch=settings.codec_batch,
        rate=settings.codec_rate, name=FOLDER,
    )  # fmt: skip


def _train(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, Codec)
    train_residual_codec(run.job, run.settings.codec, network)


def codec_part(kind: type, new: Callable[[Any, Parts], Codec], tag: str) -> SystemPart:
    """Return the part that trains a codec.

    Args:
        kind: Composes ``signal``, ``codec`` (with ``codec_crop_s``, ``codec_steps``, ``codec_batch``, ``codec_rate``)
            and ``loop``.
        new: From settings of that kind to the untrained codec.
        tag: Kind of its checkpoint.
    """
    return own_part(FOLDER, kind, new, _train, tag=tag)


RESIDUAL_CODEC = codec_part(CodecStageSettings, lambda settings, parts: new_residual_codec(settings), TAG)


def codec_in(parts: Parts) -> Codec:
    """Return the codec among trained parts."""
    codec = parts[FOLDER]
    assert isinstance(codec, Codec)
    return codec
