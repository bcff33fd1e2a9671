"""Training of Foley-Flow: alignment, the flow on its frozen condition, and a 1-step head when asked. All stages resume.

A run folder holds ``alignment/``, ``flow/`` and ``head/`` (state, log, curves), ``metrics.json``, ``diagnostics.png``,
and the checkpoint itself (``model.safetensors``, ``config.json``), which needs nothing else of the folder.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from foleybench.api.model import TrainContext
from foleybench.clips import IntArray
from foleybench.errors import FoleyError
from foleybench.runtime import distributed
from foleymodels._parts import checkpoint
from foleymodels._training.decoded_data import TrainingData, training_data
from foleymodels._training.loop import (
    Losses,
    Watch,
    fit,
    forget_state,
    measured,
    n_parameters,
    outcome,
    seeded,
    write_metrics,
)
from foleymodels.foleyflow.alignment import Alignment
from foleymodels.foleyflow.checkpoints import KIND, load_model, save_model
from foleymodels.foleyflow.conditions import Conditions, forget
from foleymodels.foleyflow.flow import Flow, flow_loss
from foleymodels.foleyflow.heads import train_head
from foleymodels.foleyflow.loops import draw_crops, loop_settings, watch_of
from foleymodels.foleyflow.samples import averaged
from foleymodels.foleyflow.settings import EARLIER, Settings
from foleymodels.foleyflow.sizes import RunOptions, resolve
from foleymodels.foleyflow.stage1 import FOLDER, new_alignment, origin, report, trained_alignment


def train(context: TrainContext, **forced: Any) -> Path:
    """Train all stages.

    Args:
        context: What was asked for.
        forced: Settings that make a variant what it is.

    Returns:
        The folder of the checkpoint.
    """
    settings, options = resolve(
        context.size, context.settings, steps=context.steps, forced=forced, device=context.device
    )
    if distributed.agreed((context.out / checkpoint.CONFIG).is_file()):
        _refuse_changed(context, settings)
        return context.out
    data, val = prepared_data(context, settings, options)
    if options.stage == "alignment":
        if settings.end_to_end:
            raise FoleyError("stage1=none trains no alignment stage. Leave stage=alignment out, or set none_as=frozen.")
        trained_alignment(context, settings, options, data, val)
        return context.out / FOLDER
    if settings.head == "ode":
        flow, alignment = _train_base(context, settings, options, (data, val))
        return _finish(context, "flow", flow, alignment)
    flow, alignment = _base(context, settings, options, (data, val))
    flow = train_head(context, settings, options, flow, Conditions(alignment, data, context.device, context.out), data)
    return _finish(context, "head", flow, alignment)


def prepared_data(context: TrainContext, settings: Settings, options: RunOptions) -> tuple[TrainingData, TrainingData]:
    """Return the decoded training data and validation data; the former for both when no validation split was given."""
    wanted = settings.cache
    folder = Path(options.cache) if options.cache else None

    def decoded(manifest: Path) -> TrainingData:
        return distributed.after_first(lambda: training_data(manifest, wanted, folder=folder, jobs=options.jobs))

    data = decoded(context.data)
    return data, data if context.val is None else decoded(context.val)


def _refuse_changed(context: TrainContext, settings: Settings) -> None:
    """A finished run is not trained again; one that was asked for differently is not silently returned."""
    _, config = checkpoint.load(context.out, KIND)
    wanted = {**dataclasses.asdict(settings), **origin(context)}
    trained = {**EARLIER, **config["settings"], **config["origin"]}
    changed = sorted(name for name in wanted if trained.get(name) != wanted[name])
    if changed:
        raise FoleyError(f"{context.out} holds a finished run with another {', '.join(changed)}. Choose another --out.")


def _finish(context: TrainContext, stage: str, flow: Flow, alignment: Alignment | None) -> Path:
    if distributed.first():
        save_model(context.out, flow, alignment, origin(context), measured(context.out))
        forget_state(context.out / stage)
        forget(context.out)
    distributed.agreed(True)
    return context.out


def _base(
    context: TrainContext, settings: Settings, options: RunOptions, data: tuple[TrainingData, TrainingData]
) -> tuple[Flow, Alignment | None]:
    """Return the flow that a head starts from: ``--set flow=DIR``, or the one in ``flow/``, trained when absent."""
    if options.flow:
        flow, alignment = load_model(Path(options.flow))
        if flow.settings.head != "ode":
            raise FoleyError(f"{options.flow} holds a model with head={flow.settings.head}; give one with head=ode.")
        return flow, alignment
    folder = context.out / "flow"
    if not distributed.agreed((folder / checkpoint.CONFIG).is_file()):
        plain = dataclasses.replace(settings, head="ode")
        networks = _train_base(context, plain, options, data)
        if distributed.first():
            save_model(folder, *networks, origin(context), measured(context.out))
            forget_state(folder)
        distributed.agreed(True)
    return load_model(folder)


def _train_base(
    context: TrainContext, settings: Settings, options: RunOptions, data: tuple[TrainingData, TrainingData]
) -> tuple[Flow, Alignment | None]:
    started = time.monotonic()
    alignment: Alignment | None
    if settings.end_to_end:
        joint = _Joint(settings, context.seed, data[0]).to(context.device)
        watch = watch_of(context, lambda weights: averaged(joint, weights).networks)
        _fit(joint, context, settings, options, lambda *crops: joint.loss(data[0], *crops), data[0], watch)
        flow, trained = joint.flow, joint.alignment.eval().requires_grad_(False)
        if distributed.first():
            report(trained, *data, context.out, None)
        alignment = trained
    else:
        alignment = None if settings.condition == "none" else trained_alignment(context, settings, options, *data)
        conditions = Conditions(alignment, data[0], context.device, context.out)
        flow = seeded(lambda: Flow(settings, conditions.width), context.seed).to(context.device)
        known = conditions.sample()
        if known is not None:
            flow.fit_scale(known)
        watch = watch_of(context, lambda weights: (averaged(flow, weights), alignment))
        _fit(flow, context, settings, options, lambda *crops: _loss(flow, conditions, data[0], *crops), data[0], watch)
    seconds = round(time.monotonic() - started, 2)
    facts = {"parameters": n_parameters(flow), "seconds": seconds}
    write_metrics(context.out, {"flow": {**outcome(context.out / "flow"), **facts}})
    return flow.eval(), alignment


class _Joint(nn.Module):
    """Flow and alignment network trained together, with no alignment stage before (``stage1=none``)."""

    def __init__(self, settings: Settings, seed: int, data: TrainingData) -> None:
        super().__init__()
        self.alignment = new_alignment(settings, seed, data)
        self.flow = seeded(lambda: Flow(settings, self.alignment.condition_dim), seed)

    @property
    def networks(self) -> tuple[Flow, Alignment]:
        """What makes sound."""
        return self.flow, self.alignment

    def loss(self, data: TrainingData, indices: Tensor, starts: IntArray, generator: torch.Generator) -> Tensor:
        settings = self.flow.settings
        device = self.flow.null.device
        tokens = data.crop_tokens(indices, starts, settings.flow_tokens).to(device)
        frames = data.crop_frames(indices, starts, settings.flow_frames).to(device)
        condition = self.alignment.features(frames, settings.flow_tokens)
        return flow_loss(self.flow, tokens, condition, generator)


def _loss(
    flow: Flow,
    conditions: Conditions,
    data: TrainingData,
    indices: Tensor,
    starts: IntArray,
    generator: torch.Generator,
) -> Tensor:
    n_tokens, device = flow.settings.flow_tokens, flow.null.device
    tokens = data.crop_tokens(indices, starts, n_tokens).to(device)
    return flow_loss(flow, tokens, conditions.crop(indices, starts, n_tokens).to(device), generator)


def _fit(
    module: nn.Module,
    context: TrainContext,
    settings: Settings,
    options: RunOptions,
    loss: Any,
    data: TrainingData,
    watch: Watch,
) -> None:
    """Train for the flow's steps and leave the averaged weights in the module."""

    def losses(step: int, generator: torch.Generator) -> Losses:
        crops = draw_crops(data, settings.flow_batch, settings.flow_tokens, step, context.seed, generator)
        return {"loss": loss(*crops, generator)}

    loop = loop_settings(settings, options, "flow")
    name = f"flow ({settings.path}, {settings.condition})"
    weights = fit(module, losses, loop, context.out / "flow", seed=context.seed, name=name, watch=watch)
    module.load_state_dict(weights)
