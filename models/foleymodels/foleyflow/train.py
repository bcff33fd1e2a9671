"""Training of Foley-Flow: alignment, then the flow on its frozen features. Both stages resume.

A run folder holds ``vama/`` and ``flow/`` (state, log, curves), ``metrics.json``, and the checkpoint itself
(``model.safetensors``, ``config.json``), which needs nothing else of the folder.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from foleybench.errors import FoleyError
from foleybench.manifest import canonical_json, write_atomically
from foleybench.model import TrainContext
from foleymodels import _checkpoint
from foleymodels._cache import CacheSettings, TrainingData, training_data
from foleymodels._training import LoopSettings, batch_indices, fit, forget_state, step_generator
from foleymodels.foleyflow.flow import Flow, flow_loss
from foleymodels.foleyflow.settings import RunOptions, Settings, resolve
from foleymodels.foleyflow.usage import video_usage
from foleymodels.foleyflow.vama import Alignment, draw_mask, masked_change_error, masked_error

VAMA_KIND = "vama"
FLOW_KIND = "foleyflow"
_FEATURE_BATCH = 32


def train(context: TrainContext, **forced: Any) -> Path:
    """Train both stages.

    Args:
        context: What was asked for.
        forced: Settings that make a variant what it is.

    Returns:
        The folder of the checkpoint.
    """
    settings, options = resolve(context.size, context.settings, steps=context.steps, forced=forced)
    if (context.out / _checkpoint.CONFIG).is_file():
        _refuse_changed(context, settings)
        return context.out
    data = prepared_data(context, settings, options)
    alignment = None if settings.condition == "none" else trained_alignment(context, settings, options, data)
    if options.stage == "vama":
        return context.out / "vama"
    return _train_flow(context, settings, options, alignment, data)


def trained_alignment(context: TrainContext, settings: Settings, options: RunOptions, data: TrainingData) -> Alignment:
    """Return the alignment network: read from ``--set vama=DIR``, from the run folder, or trained there."""
    folder = context.out / "vama"
    source = options.vama_folder
    if source is not None and not (folder / _checkpoint.CONFIG).is_file():
        load_alignment(source)  # refuses a folder that is not one before anything is written
        folder.mkdir(parents=True, exist_ok=True)
        for name in (_checkpoint.WEIGHTS, _checkpoint.CONFIG):
            shutil.copyfile(source / name, folder / name)
    if not (folder / _checkpoint.CONFIG).is_file():
        _train_alignment(context, settings, options, data, folder)
    alignment = load_alignment(folder)
    _refuse_misfit(alignment.settings, settings, folder)
    return alignment


def _refuse_changed(context: TrainContext, settings: Settings) -> None:
    """A finished run is not trained again; one that was asked for differently is not silently returned."""
    _, config = _checkpoint.load(context.out, FLOW_KIND)
    wanted = {**dataclasses.asdict(settings), **_origin(context)}
    trained = {**config["settings"], **config["origin"]}
    changed = sorted(name for name in wanted if trained.get(name) != wanted[name])
    if changed:
        raise FoleyError(f"{context.out} holds a finished run with another {', '.join(changed)}. Choose another --out.")


def _origin(context: TrainContext) -> dict[str, Any]:
    return {"seed": context.seed, "data_sha256": hashlib.sha256(context.data.read_bytes()).hexdigest()}


def load_alignment(folder: Path) -> Alignment:
    """Read a trained alignment network."""
    tensors, config = _checkpoint.load(folder, VAMA_KIND)
    alignment = Alignment(Settings.of_checkpoint(config["settings"], folder))
    _checkpoint.load_into(alignment, tensors, folder)
    return alignment.eval().requires_grad_(False)


def _refuse_misfit(trained: Settings, wanted: Settings, folder: Path) -> None:
    for name in ("rate_hz", "n_fft", "hop", "n_mels", "grid_hz", "cells", "window_s"):
        if getattr(trained, name) != getattr(wanted, name):
            raise FoleyError(
                f"the alignment stage in {folder} was trained with {name}={getattr(trained, name)}, this run wants "
                f"{getattr(wanted, name)}. Use the same settings, or train another stage with another --out."
            )


def prepared_data(context: TrainContext, settings: Settings, options: RunOptions, *, val: bool = False) -> TrainingData:
    """Return the decoded training data, or the validation data when asked for and there."""
    wanted = CacheSettings(
        mel=settings.mel, grid_hz=settings.grid_hz, cells=settings.cells, shortest_s=settings.window_s
    )
    manifest = context.val if val and context.val is not None else context.data
    return training_data(manifest, wanted, folder=Path(options.cache) if options.cache else None, jobs=options.jobs)


def _train_alignment(
    context: TrainContext, settings: Settings, options: RunOptions, data: TrainingData, folder: Path
) -> None:
    started = time.monotonic()
    alignment = _seeded(lambda: Alignment(settings), context.seed).to(context.device)

    def losses(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        indices = batch_indices(len(data), settings.vama_batch, step, context.seed)
        n_tokens = settings.vama_tokens
        starts = data.starts(indices, n_tokens, generator)
        frames = data.crop_frames(indices, starts, settings.vama_frames).to(context.device)
        tokens = data.crop_tokens(indices, starts, n_tokens).to(context.device)
        mask = draw_mask(settings, len(indices), n_tokens, generator).to(context.device)
        predicted, _, _ = alignment(frames, tokens, mask, n_tokens)
        masked = masked_error(predicted, tokens, mask)
        change = masked_change_error(predicted, tokens, mask, settings.n_mels)
        return {"loss": masked + settings.change_weight * change, "masked": masked, "change": change}

    loop = LoopSettings(
        steps=settings.vama_steps,
        learning_rate=settings.vama_rate,
        ema_decay=settings.vama_ema,
        save_every_s=options.save_every_s,
    )
    weights = fit(alignment, losses, loop, folder, seed=context.seed, name="alignment (VAMA)")
    alignment.load_state_dict(weights)
    usage = video_usage(alignment.eval(), prepared_data(context, settings, options, val=True), context.seed)
    write_metrics(context.out, {"vama": {**usage, "parameters": n_parameters(alignment), "seconds": _since(started)}})
    _checkpoint.save(folder, VAMA_KIND, weights, {"settings": dataclasses.asdict(settings), "origin": _origin(context)})
    forget_state(folder)


def _train_flow(
    context: TrainContext, settings: Settings, options: RunOptions, alignment: Alignment | None, data: TrainingData
) -> Path:
    started = time.monotonic()
    conditions = None if alignment is None else _conditions(alignment.to(context.device), data, context)
    width = 1 if alignment is None else alignment.condition_dim
    flow = _seeded(lambda: Flow(settings, width), context.seed).to(context.device)
    if conditions is not None:
        flow.fit_scale(conditions.float())

    def losses(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        indices = batch_indices(len(data), settings.flow_batch, step, context.seed)
        starts = data.starts(indices, settings.flow_tokens, generator)
        tokens = data.crop_tokens(indices, starts, settings.flow_tokens).to(context.device)
        condition = _crop_conditions(conditions, data, indices, starts, settings.flow_tokens).to(context.device)
        return {"loss": flow_loss(flow, tokens, condition, generator)}

    loop = LoopSettings(
        steps=settings.flow_steps,
        learning_rate=settings.flow_rate,
        ema_decay=settings.ema_decay,
        save_every_s=options.save_every_s,
    )
    weights = fit(flow, losses, loop, context.out / "flow", seed=context.seed, name=f"flow ({settings.condition})")
    write_metrics(context.out, {"flow": {"parameters": n_parameters(flow), "seconds": _since(started)}})
    saved = _save_checkpoint(context, settings, alignment, weights)
    forget_state(context.out / "flow")
    return saved


def _save_checkpoint(
    context: TrainContext, settings: Settings, alignment: Alignment | None, flow: dict[str, Tensor]
) -> Path:
    tensors = {f"flow.{name}": value for name, value in flow.items()}
    config: dict[str, Any] = {
        "settings": dataclasses.asdict(settings),
        "origin": _origin(context),
        "vama_settings": None,
    }
    if alignment is not None:
        tensors |= {f"vama.{name}": value for name, value in alignment.state_dict().items()}
        config["vama_settings"] = dataclasses.asdict(alignment.settings)
    return _checkpoint.save(context.out, FLOW_KIND, tensors, config)


@torch.inference_mode()
def _conditions(alignment: Alignment, data: TrainingData, context: TrainContext) -> Tensor:
    """Return the frozen condition of every token of the training set, float16, laid end to end like the tokens."""
    parts = [
        alignment.condition(frames[None].to(context.device), n_tokens)[0].half().cpu()
        for frames, n_tokens in data.pictures()
    ]
    return torch.cat(parts)


def _crop_conditions(
    conditions: Tensor | None, data: TrainingData, indices: Tensor, starts: Any, n_tokens: int
) -> Tensor:
    if conditions is None:
        return torch.zeros(len(indices), n_tokens, 1)
    first = data.token_offsets[indices.numpy()] + starts * data.settings.unit[1]
    return torch.stack([conditions[at : at + n_tokens] for at in first.tolist()]).float()


def _seeded(make: Any, seed: int) -> Any:
    """Build a module whose starting weights depend on the seed only, leaving the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(step_generator(seed, "weights").initial_seed())
        return make()


def n_parameters(module: torch.nn.Module) -> int:
    """Return the number of trainable numbers."""
    return sum(value.numel() for value in module.parameters())


def write_metrics(out: Path, values: dict[str, Any]) -> None:
    """Add measured values to the run's ``metrics.json``."""
    path = out / "metrics.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    write_atomically(path, (canonical_json({**known, **values}) + "\n").encode())


def _since(started: float) -> float:
    return round(time.monotonic() - started, 2)
