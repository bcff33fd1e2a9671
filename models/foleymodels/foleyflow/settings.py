"""Compose the settings of Foley-Flow by subject."""

from __future__ import annotations

import dataclasses
from typing import Any

from foleybench.api.model import TrainContext
from foleymodels._alignment.settings import AlignmentSettings, StageOptions, StageSettings
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.settings import Subject, amount, choice
from foleymodels._parts.signal import SignalSettings
from foleymodels._training import settings as training
from foleymodels._training.settings import LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class HeadSettings(Subject):
    """The settings that decide a head that needs one step (Eq. 8).

    Attributes:
        head: ``ode`` (the flow as trained), ``imf`` (fine-tuned by improved MeanFlow) or ``reflow`` (straightened on
            its own pairs, then distilled to one step).
        head_steps: Optimiser steps of the fine-tuning.
        head_batch: Its batch size.
        head_rate: Its peak learning rate.
        head_guidance: Guidance scale that is trained into the weights.
        imf_target: ``teacher`` (the guided velocity of the trained flow) or ``data`` (the velocity of the example,
            moved by the trained flow's guidance).
        imf_same_p: Share of examples whose two times are equal: plain flow matching.
        imf_jump_p: Share of the others that go from noise to data at once.
        reflow_pairs: Pairs of noise and mel tokens that the trained flow makes.
        reflow_nfe: Evaluations with which it makes them.
        reflow_distill_p: Last share of the steps, which train the single step alone.
    """

    head: str = choice("ode", "imf", "reflow")
    head_steps: int = amount(600)
    head_batch: int = 16
    head_rate: float = 1e-3
    head_guidance: float = 2.5
    imf_target: str = choice("teacher", "data")
    imf_same_p: float = 0.5
    imf_jump_p: float = 0.5
    reflow_pairs: int = amount(2000)
    reflow_nfe: int = 12
    reflow_distill_p: float = 0.5

    @classmethod
    def sizes(cls) -> dict[str, HeadSettings]:
        """Return the settings of every size."""
        large = cls(
            head_steps=4000, head_batch=128, head_rate=1e-4, head_guidance=4.5, reflow_pairs=20000, reflow_nfe=25
        )
        return {"tiny": cls(), "base": large, "std16k": large, "paper": large}


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoleyFlowSettings:
    """The settings that decide a trained Foley-Flow."""

    signal: SignalSettings
    alignment: AlignmentSettings
    flow: FlowSettings
    head: HeadSettings
    loop: LoopSettings

    @property
    def stage(self) -> StageSettings:
        """The settings that decide the alignment stage."""
        return StageSettings(signal=self.signal, alignment=self.alignment, loop=self.loop)

    @property
    def end_to_end(self) -> bool:
        """Whether the alignment network is trained by the flow's loss and not before it."""
        stage = self.alignment
        return stage.stage1 == "none" and stage.none_as == "end_to_end" and self.flow.condition != "none"

    @property
    def joint_steps(self) -> int:
        """Optimiser steps without an alignment stage: as many as both stages have together."""
        return self.alignment.vama_steps + self.flow.flow_steps


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoleyFlowOptions(StageOptions):
    """Options of a run.

    Attributes:
        flow: Folder of a trained model whose flow a 1-step head is fine-tuned from, instead of training one.
        stage: ``all``, or ``alignment`` to stop after the alignment stage.
        audio_plan: ``kept``; or ``dropped``, with ``stage=alignment``: the stage that ``alignment`` names is written
            with zeros in place of the audio plan.
    """

    flow: str = ""
    stage: str = choice("all", "alignment")
    audio_plan: str = choice("kept", "dropped")


def resolve_foleyflow(
    context: TrainContext, forced: dict[str, Any] | None = None
) -> tuple[FoleyFlowSettings, FoleyFlowOptions]:
    """Return the settings and options that a training run was asked for.

    Args:
        context: Size, overrides, number of steps of the flow (other stages are scaled alike) and device.
        forced: Settings that define a variant; the user cannot override them.

    Raises:
        UnknownNameError: There is no such size or setting, or a value cannot be used.
    """
    return training.resolve(FoleyFlowSettings, FoleyFlowOptions, context, forced=forced)
