"""Training of the alignment stage with any of its objectives: same network, same batch, same steps for all of them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from foleybench.api.model import TrainContext
from foleybench.errors import FoleyError
from foleybench.runtime import distributed
from foleymodels._parts import checkpoint
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import Losses, fit, forget_state, measured, n_parameters, outcome, seeded, write_metrics
from foleymodels.foleyflow.alignment import Alignment, load_encoders
from foleymodels.foleyflow.contrast import Cavp, InfoNce
from foleymodels.foleyflow.diagnostics import draw_diagnostics, video_usage
from foleymodels.foleyflow.loops import draw_crops, loop_settings, watch_of
from foleymodels.foleyflow.objective import Draw, Objective
from foleymodels.foleyflow.probes import N_FIT, N_MEASURE, Probed, probe, spread
from foleymodels.foleyflow.settings import Settings
from foleymodels.foleyflow.sizes import RunOptions
from foleymodels.foleyflow.supervised import OnsetSupervision
from foleymodels.foleyflow.vama import Vama

KIND = "alignment"
FOLDER = "alignment"
_MUST_AGREE = (
    *("rate_hz", "n_fft", "hop", "n_mels", "grid_hz", "cells", "window_s"),
    *("stage1", "video_encoder", "audio_target"),
)


def trained_alignment(
    context: TrainContext, settings: Settings, options: RunOptions, data: TrainingData, val: TrainingData
) -> Alignment:
    """Return the alignment network: read from ``--set alignment=DIR``, from the run folder, or trained there.

    Raises:
        FoleyError: What was read was trained with settings that do not fit.
    """
    folder = context.out / FOLDER
    source = Path(options.alignment) if options.alignment else None
    if source is not None and distributed.first() and not (folder / checkpoint.CONFIG).is_file():
        load_alignment(source)  # refuses a folder that is not one before anything is written
        folder.mkdir(parents=True, exist_ok=True)
        for name in (checkpoint.WEIGHTS, checkpoint.CONFIG):
            shutil.copyfile(source / name, folder / name)
    if not distributed.agreed((folder / checkpoint.CONFIG).is_file()):
        _train(context, settings, options, data, val)
    alignment = load_alignment(folder)
    _refuse_misfit(alignment.settings, settings, folder)
    return alignment


def origin(context: TrainContext) -> dict[str, Any]:
    """Return where a checkpoint comes from: seed and hash of the training manifest."""
    return {"seed": context.seed, "data_sha256": hashlib.sha256(context.data.read_bytes()).hexdigest()}


def new_alignment(settings: Settings, seed: int, data: TrainingData) -> Alignment:
    """Return the network with the starting weights of a seed, its frozen encoders pretrained on the data."""
    alignment = seeded(lambda: Alignment(settings), seed)
    load_encoders(alignment, data, seed)
    return alignment


def load_alignment(folder: Path) -> Alignment:
    """Read a trained alignment network."""
    tensors, config = checkpoint.load(folder, KIND)
    alignment = Alignment(Settings.of_checkpoint(config["settings"], folder))
    checkpoint.load_into(alignment, tensors, folder)
    return alignment.eval().requires_grad_(False)


def objective_of(alignment: Alignment, data: TrainingData) -> Objective:
    """Return the objective that the settings name.

    Args:
        alignment: The network to train.
        data: Training data; ``onset_sup`` takes its classes from there.
    """
    name = alignment.settings.stage1
    if name == "onset_sup":
        return OnsetSupervision(alignment, data)
    kinds: dict[str, type[Objective]] = {"vama": Vama, "infonce": InfoNce, "cavp": Cavp}
    return kinds[name](alignment)


def report(
    alignment: Alignment, data: TrainingData, val: TrainingData, out: Path, usage: dict[str, Any] | None
) -> None:
    """Probe a trained network's condition, write it to ``metrics.json`` and draw it.

    Args:
        alignment: The network.
        data: Training data, which the probes are fitted on.
        val: Held-out data.
        out: The run folder.
        usage: From ``video_usage``, or None when the stage had no loss of its own.
    """
    fitted, held_out = (
        Probed.of(part, spread(len(part), most), functools.partial(_condition, alignment, part))
        for part, most in ((data, N_FIT), (val, N_MEASURE))
    )
    probes = probe(fitted, held_out)
    write_metrics(out, {"probes": probes})
    title = f"stage1={alignment.settings.stage1}"
    draw_diagnostics({"usage": usage, "probes": probes}, out / "diagnostics.png", title=title)


@torch.inference_mode()
def _condition(alignment: Alignment, data: TrainingData, index: int) -> Tensor:
    frames, n_tokens = data.picture(index)
    device = next(alignment.parameters()).device
    return alignment.condition(frames[None].to(device), n_tokens)[0].cpu().clone()


def _train(
    context: TrainContext, settings: Settings, options: RunOptions, data: TrainingData, val: TrainingData
) -> None:
    started = time.monotonic()
    folder = context.out / FOLDER
    alignment = new_alignment(settings, context.seed, data)
    usage: dict[str, Any] | None = None
    if settings.stage1 != "none":
        objective = seeded(lambda: objective_of(alignment, data), context.seed).to(context.device)
        _fit(objective, context, options, data)
        objective.eval()
        usage = _usage(objective, data=val, seed=context.seed) if distributed.first() else None
    if distributed.first():
        seconds = round(time.monotonic() - started, 2)
        facts = {"objective": settings.stage1, "parameters": n_parameters(alignment), "seconds": seconds}
        write_metrics(context.out, {"alignment": {**outcome(folder), **(usage or {}), **facts}})
        report(alignment.eval(), data, val, context.out, usage)
        weights = {name: value.detach().cpu() for name, value in alignment.state_dict().items()}
        config = {"settings": dataclasses.asdict(settings), "origin": origin(context)}
        checkpoint.save(folder, KIND, weights, {**config, "metrics": measured(context.out)})
        forget_state(folder)
    distributed.agreed(True)  # the others read what has been written


def _fit(objective: Objective, context: TrainContext, options: RunOptions, data: TrainingData) -> None:
    settings = objective.settings

    def losses(step: int, generator: torch.Generator) -> Losses:
        indices, starts = draw_crops(data, settings.vama_batch, objective.crop_tokens, step, context.seed, generator)
        drawn: Losses = objective(Draw(data=data, sound=indices, picture=indices, starts=starts), generator)
        return drawn

    loop = loop_settings(settings, options, "alignment")
    name, folder = f"alignment ({settings.stage1})", context.out / FOLDER
    weights = fit(objective, losses, loop, folder, seed=context.seed, name=name, watch=watch_of(context))
    objective.load_state_dict(weights)


def _usage(objective: Objective, data: TrainingData, seed: int) -> dict[str, Any]:
    if not isinstance(objective, Vama):
        return video_usage(objective, data, seed)
    full = video_usage(Vama(objective.alignment, full_mask=True), data, seed, part="masked")
    return {
        **video_usage(objective, data, seed, part="masked"),
        "full_mask_loss_true": full["loss_true"],
        "full_mask_usage_gap": full["usage_gap"],
    }


def _refuse_misfit(trained: Settings, wanted: Settings, folder: Path) -> None:
    for name in _MUST_AGREE:
        if getattr(trained, name) != getattr(wanted, name):
            raise FoleyError(
                f"the alignment stage in {folder} was trained with {name}={getattr(trained, name)}, this run wants "
                f"{getattr(wanted, name)}. Use the same settings, or train another stage with another --out."
            )
