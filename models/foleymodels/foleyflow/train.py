"""Train Foley-Flow: alignment, flow, and a one-step head on request.

The flow is trained on the frozen condition of the alignment stage. All stages resume. A run folder holds
``alignment/``, ``flow/`` and ``head/`` (state, log, curves), ``metrics.json``, ``diagnostics.png``, and the checkpoint
itself (``model.safetensors``, ``config.json``), which needs nothing else of the folder.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from torch import Tensor

from foleybench.api.model import BuildContext, Generator, TrainContext
from foleybench.errors import FoleyError
from foleybench.runtime import distributed
from foleymodels._alignment.conditions import aligned_conditions
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.stage import FOLDER as ALIGNMENT_FOLDER
from foleymodels._alignment.stage import fitting_alignment, report, trained_alignment, write_without_plan
from foleymodels._flow.network import Flow
from foleymodels._flow.training import FOLDER as FLOW_FOLDER
from foleymodels._flow.training import fit_flow, train_flow
from foleymodels._parts import checkpoint
from foleymodels._parts.settings import replaced
from foleymodels._training.conditions import Conditions, NoConditions, forget_conditions
from foleymodels._training.job import Job, is_finished
from foleymodels._training.loop import seeded
from foleymodels._training.samples import averaged
from foleymodels.foleyflow.checkpoints import KIND, FoleyFlow, load_foleyflow, new_flow, save_model
from foleymodels.foleyflow.generate import generator_of
from foleymodels.foleyflow.heads import FOLDER as HEAD_FOLDER
from foleymodels.foleyflow.heads import train_head
from foleymodels.foleyflow.joint import Joint
from foleymodels.foleyflow.settings import FoleyFlowOptions, FoleyFlowSettings, resolve_foleyflow


def train(context: TrainContext, **forced: Any) -> Path:
    """Train all stages.

    Args:
        context: The command's settings.
        forced: Settings that define a variant.

    Returns:
        The folder of the checkpoint.
    """
    settings, options = resolve_foleyflow(context, forced)
    _refuse_unused_alignment(settings, options)
    if options.audio_plan == "dropped":
        return _without_plan(context, options)
    if is_finished(context, KIND, settings, {ALIGNMENT_FOLDER: options.alignment}):
        return context.out
    job = Job.start(context, settings.loop, options, settings.stage.cache)
    if options.stage == "alignment":
        if settings.end_to_end:
            raise FoleyError("stage1=none trains no alignment stage. Leave stage=alignment out, or set none_as=frozen.")
        trained_alignment(job, settings.stage, options.alignment)
        return context.out / ALIGNMENT_FOLDER
    if settings.head.head == "ode":
        save_model(context.out, _train_base(job, settings, options), context, FLOW_FOLDER)
    else:
        save_model(context.out, _train_head(job, settings, options), context, HEAD_FOLDER)
    forget_conditions(context.out)
    return context.out


def check(context: TrainContext) -> None:
    """Refuse what ``train`` would refuse, of settings and of what is trained already.

    Raises:
        FoleyError: As ``train`` does.
    """
    settings, options = resolve_foleyflow(context)
    _refuse_unused_alignment(settings, options)
    if options.audio_plan == "dropped":  # the run folder's stage is to differ from the one it is made of
        return
    there = checkpoint.part_there(options.alignment, context.out / ALIGNMENT_FOLDER)
    if there and settings.flow.condition != "none" and not settings.end_to_end:
        fitting_alignment(settings.stage, there)
    if context.data.is_file():
        is_finished(context, KIND, settings)


def _without_plan(context: TrainContext, options: FoleyFlowOptions) -> Path:
    """Write a trained alignment stage without its audio plan into the run folder; nothing is trained."""
    if options.stage != "alignment" or not options.alignment:
        raise FoleyError(
            "audio_plan=dropped changes a trained alignment stage: name it with --set alignment=DIR, give "
            "--set stage=alignment, and train with --set alignment=OUT/alignment afterwards."
        )
    folder = context.out / ALIGNMENT_FOLDER
    if distributed.first():
        write_without_plan(Path(options.alignment), folder)
    distributed.agreed(True)
    return folder


def _refuse_unused_alignment(settings: FoleyFlowSettings, options: FoleyFlowOptions) -> None:
    """Raise where a trained alignment stage is given that the run would never read."""
    reasons = (
        (settings.flow.condition == "none", "condition=none sees no video"),
        (settings.end_to_end, "stage1=none trains the alignment network together with the flow"),
        (bool(options.flow), f"flow={options.flow} brings an alignment network of its own"),
    )
    for unused, why in reasons:
        if options.alignment and unused:
            raise FoleyError(f"alignment={options.alignment} would not be used: {why}. Leave it out.")


def _train_head(job: Job, settings: FoleyFlowSettings, options: FoleyFlowOptions) -> FoleyFlow:
    base = _base(job, settings, options)
    wanted = dataclasses.replace(base.settings, head=settings.head)
    conditions = _conditions(base.alignment, job)

    def generator(flow: Flow) -> Generator:
        return _sampled(FoleyFlow(wanted, flow, base.alignment), job)

    return FoleyFlow(wanted, train_head(job, settings, base.flow, conditions, generator), base.alignment)


def _base(job: Job, settings: FoleyFlowSettings, options: FoleyFlowOptions) -> FoleyFlow:
    """Return the model that a head starts from: ``--set flow=DIR``, or the one in ``flow/``, trained when absent."""
    if options.flow:
        model = load_foleyflow(Path(options.flow))
        if model.settings.head.head != "ode":
            raise FoleyError(
                f"{options.flow} holds a model with head={model.settings.head.head}; give one with head=ode."
            )
        return model
    folder = job.context.out / FLOW_FOLDER
    if not distributed.agreed((folder / checkpoint.CONFIG).is_file()):
        model = _train_base(job, replaced(settings, head="ode"), options)
        save_model(folder, model, job.context, FLOW_FOLDER)
    return load_foleyflow(folder)


def _train_base(job: Job, settings: FoleyFlowSettings, options: FoleyFlowOptions) -> FoleyFlow:
    if settings.end_to_end:
        return _train_end_to_end(job, settings)
    context = job.context
    alignment: Alignment | None = None
    if settings.flow.condition != "none":
        alignment = trained_alignment(job, settings.stage, options.alignment)
    conditions = _conditions(alignment, job)
    flow = seeded(lambda: new_flow(settings, conditions.width), context.seed).to(context.device)
    if isinstance(conditions, Conditions):
        flow.fit_scale(conditions.sample())
    train_flow(job, flow, conditions.crop, lambda twin: _sampled(FoleyFlow(settings, twin, alignment), job))
    return FoleyFlow(settings, flow, alignment)


def _train_end_to_end(job: Job, settings: FoleyFlowSettings) -> FoleyFlow:
    context = job.context
    joint = Joint(settings, context.seed, job.data, context.device).to(context.device)

    def generator(weights: dict[str, Tensor]) -> Generator:
        return _sampled(averaged(joint, weights).model, job)

    joint.fit_scale(job.data)
    fit_flow(
        job, joint, joint.flow, lambda *crop: joint.loss(job.data, *crop), generator,
        steps=settings.joint_steps, other_rates=(("alignment", settings.alignment.vama_rate),),
    )  # fmt: skip
    joint.alignment.requires_grad_(False)
    report(joint.alignment, job, None)
    return joint.model


def _conditions(alignment: Alignment | None, job: Job) -> Conditions | NoConditions:
    if alignment is None:
        return NoConditions()
    return aligned_conditions(alignment, job.data, job.context.device, job.conditions_folder)


def _sampled(model: FoleyFlow, job: Job) -> Generator:
    """Return the generator of samples while training."""
    return generator_of(model, BuildContext(device=job.context.device))
