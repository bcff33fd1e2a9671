"""Train the alignment stage with any of its objectives.

Network, batch and number of steps are the same for all objectives. ``vama`` is Foley-Flow's (Eq. 4); ``infonce``,
``cavp``, ``onset_sup`` and ``none`` are for comparison and for other systems.
"""

from __future__ import annotations

import dataclasses
import functools
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from foleybench.errors import FoleyError
from foleybench.runtime import distributed
from foleymodels._alignment.contrastive import CavpObjective, InfoNceObjective
from foleymodels._alignment.diagnostics import draw_diagnostics, video_usage
from foleymodels._alignment.encoders import load_encoders
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.objective import Draw, Objective
from foleymodels._alignment.probes import N_FIT, N_MEASURE, Probed, evenly_spread, probe
from foleymodels._alignment.settings import NetworkSettings, StageSettings
from foleymodels._alignment.supervised import OnsetObjective
from foleymodels._alignment.vama import VamaObjective
from foleymodels._parts import checkpoint
from foleymodels._parts.settings import flat, read_settings
from foleymodels._training.data_parallel import share
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.job import Job, save_checkpoint
from foleymodels._training.loop import Losses, n_parameters, outcome, seeded, write_metrics

KIND = "alignment"
FOLDER = "alignment"
_MUST_AGREE = (
    *("rate_hz", "n_fft", "hop", "mel_window", "n_mels", "grid_hz", "cells", "window_s"),
    *("stage1", "video_encoder", "audio_target", "encoder_weights"),
)


def trained_alignment(job: Job, settings: StageSettings, source: str) -> Alignment:
    """Return the alignment network: read from a folder, from the run folder, or trained there.

    Args:
        job: The run.
        settings: Settings of the stage.
        source: Folder of a trained stage (``--set alignment=DIR``), or empty.

    Raises:
        FoleyError: The trained stage has settings that do not fit.
    """
    folder = job.context.out / FOLDER
    if source and distributed.first() and not (folder / checkpoint.CONFIG).is_file():
        fitting_alignment(settings, Path(source))  # refuses it before anything is written
        folder.mkdir(parents=True, exist_ok=True)
        for name in (checkpoint.WEIGHTS, checkpoint.CONFIG):
            shutil.copyfile(Path(source) / name, folder / name)
    if not distributed.agreed((folder / checkpoint.CONFIG).is_file()):
        _train(job, settings)
    return fitting_alignment(settings, folder)


def new_alignment(settings: StageSettings, seed: int, data: TrainingData, device: str = "cpu") -> Alignment:
    """Return the network with the starting weights of a seed, its frozen encoders pretrained on a device."""
    alignment = seeded(lambda: Alignment(settings.signal, settings.alignment), seed)
    load_encoders(alignment, data, seed, device)
    return alignment


def load_alignment(folder: Path) -> Alignment:
    """Read a trained stage."""
    tensors, config = checkpoint.read_checkpoint(folder, KIND)
    return alignment_of(tensors, config["settings"], folder)


def write_without_plan(source: Path, folder: Path) -> None:
    """Write a trained stage without its audio plan: that half of its condition is zeros, the video feature stays.

    So a generator can be trained that is told of the video what stands next to a token and nothing else. The plan is
    the decoder's normed state, so zeros as scale and shift of that norm take it away.

    Args:
        source: Folder of the trained stage.
        folder: Folder of the new one.

    Raises:
        FoleyError: There is no such stage, or both folders are one.
    """
    if source.resolve() == folder.resolve():
        raise FoleyError(f"audio_plan=dropped would overwrite the stage in {source}. Choose another --out.")
    tensors, config = checkpoint.read_checkpoint(source, KIND)
    for name in ("leave_norm.weight", "leave_norm.bias"):
        tensors[name] = torch.zeros_like(tensors[name])
    kept = {name: config[name] for name in ("settings", "origin")}  # what was measured, was so with the plan
    checkpoint.write_checkpoint(folder, KIND, tensors, {**kept, "audio_plan": "dropped"})


def alignment_of(tensors: dict[str, Tensor], record: dict[str, Any], folder: Path) -> Alignment:
    """Return the trained network of some weights and settings.

    Args:
        tensors: Weights by name.
        record: Settings, from the config of a checkpoint.
        folder: Where both lie, for messages.

    Raises:
        FoleyError: They do not fit.
    """
    settings = read_settings(NetworkSettings, record, folder, beside=True)
    alignment = Alignment(settings.signal, settings.alignment)
    checkpoint.load_into(alignment, tensors, folder)
    return alignment.eval().requires_grad_(False)


def record_of(alignment: Alignment) -> dict[str, Any]:
    """Return the settings of a network for the config of a checkpoint."""
    return dataclasses.asdict(NetworkSettings(signal=alignment.signal, alignment=alignment.settings))


def objective_of(alignment: Alignment, data: TrainingData) -> Objective:
    """Return the objective that the settings name.

    Args:
        alignment: The network to train.
        data: Training data; ``onset_sup`` takes its classes from there.
    """
    name = alignment.settings.stage1
    if name == "onset_sup":
        return OnsetObjective(alignment, data)
    kinds: dict[str, type[Objective]] = {"vama": VamaObjective, "infonce": InfoNceObjective, "cavp": CavpObjective}
    return kinds[name](alignment)


def report(alignment: Alignment, job: Job, usage: dict[str, Any] | None) -> None:
    """Probe a trained network's condition, write it to ``metrics.json`` and draw it; the first process does.

    Args:
        alignment: The network.
        job: The run: probes are fitted on its training data and measured on its validation data.
        usage: From ``video_usage``, or None when the stage had no loss of its own.
    """
    if not distributed.first():
        return
    fitted, held_out = (
        Probed.of(part, evenly_spread(len(part), most), functools.partial(_condition, alignment, part))
        for part, most in ((job.data, N_FIT), (job.val, N_MEASURE))
    )
    probes, out = probe(fitted, held_out), job.context.out
    write_metrics(out, {"probes": probes})
    title = f"stage1={alignment.settings.stage1}"
    draw_diagnostics({"usage": usage, "probes": probes}, out / "diagnostics.png", title=title)


@torch.inference_mode()
def _condition(alignment: Alignment, data: TrainingData, index: int) -> Tensor:
    frames, n_tokens = data.video(index)
    device = next(alignment.parameters()).device
    return alignment.condition(frames[None].to(device), n_tokens)[0].cpu().clone()


def _train(job: Job, settings: StageSettings) -> None:
    context, name = job.context, settings.alignment.stage1
    alignment = new_alignment(settings, context.seed, job.data, context.device)
    usage: dict[str, Any] | None = None
    facts = outcome(context.out / FOLDER)
    if name != "none":
        objective = seeded(lambda: objective_of(alignment, job.data), context.seed).to(context.device)
        facts = _fit(objective, job)
        objective.eval()
        usage = _usage(objective, job.val, context.seed) if distributed.first() else None
    facts = {**facts, **(usage or {}), "objective": name, "parameters": n_parameters(alignment)}
    write_metrics(context.out, {"alignment": facts})
    report(alignment.eval(), job, usage)
    save_checkpoint(context.out / FOLDER, KIND, settings, alignment.state_dict(), context, FOLDER)


def _fit(objective: Objective, job: Job) -> dict[str, Any]:
    settings = objective.settings

    def losses(step: int, generator: torch.Generator) -> Losses:
        indices, starts = job.draw_crops(settings.vama_batch, objective.crop_tokens, step, generator)
        mirrored = share().rows(torch.rand(settings.vama_batch, generator=generator) < settings.mirror_p)
        draw = Draw(data=job.data, audio_of=indices, video_of=indices, starts=starts, mirrored=mirrored)
        found: Losses = objective(draw, generator)
        return found

    return job.fit(
        objective, losses, FOLDER, steps=settings.vama_steps, rate=settings.vama_rate, ema=settings.vama_ema,
        name=f"alignment ({settings.stage1})",
    )  # fmt: skip


def _usage(objective: Objective, data: TrainingData, seed: int) -> dict[str, Any]:
    if not isinstance(objective, VamaObjective):
        return video_usage(objective, data, seed)
    whole = VamaObjective(objective.alignment, full_mask=True).to(objective.device)
    full = video_usage(whole, data, seed, part="masked")
    return {
        **video_usage(objective, data, seed, part="masked"),
        "full_mask_loss_true": full["loss_true"],
        "full_mask_usage_gap": full["usage_gap"],
    }


def fitting_alignment(wanted: StageSettings, folder: Path) -> Alignment:
    """Return the trained stage of a folder, which must fit.

    Args:
        wanted: Settings of the stage that a run asks for.
        folder: Folder of the trained stage.

    Raises:
        FoleyError: It is none, or a setting that must agree differs; the first is named.
    """
    trained = load_alignment(folder)
    has, wants = flat(NetworkSettings(signal=trained.signal, alignment=trained.settings)), flat(wanted)
    for name in _MUST_AGREE:
        if has[name] != wants[name]:
            raise FoleyError(
                f"the alignment stage in {folder} was trained with {name}={has[name]}, this run wants "
                f"{wants[name]}. Use the same settings, or train another stage with another --out."
            )
    return trained
