"""Compose the settings of Diff-Foley."""

from __future__ import annotations

import dataclasses
from typing import Any

from foleymodels._diffusion.samplers import METHODS
from foleymodels._diffusion.schedule import SCHEDULES
from foleymodels._parts.settings import SIZES, Subject, amount, choice
from foleymodels._parts.signal import SignalSettings
from foleymodels._systems.settings import FeatureSettings, NetSettings, SystemOptions
from foleymodels._training.settings import LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class DiffusionSettings(NetSettings):
    """The settings of the diffusion, beside those of every generator.

    Attributes:
        net_refine: Channels of the convolutions over time and frequency through which the noise passes.
        noise_schedule: Schedule of its noise.
        predicts: What the network predicts.
        feature_hz: Video features a second.
        splice_p: Share of examples that are two clips, one after the other.
        sampler: How it is sampled.
    """

    net_hidden: int = 128
    net_refine: int = 24
    noise_schedule: str = choice(*SCHEDULES)
    predicts: str = choice("noise", "v")
    feature_hz: float = 4.0
    splice_p: float = 0.5
    net_drop_p: float = 0.2
    nfe: int = 25
    guidance: float = 4.5
    sampler: str = choice(*METHODS)

    @classmethod
    def shapes(cls) -> dict[str, dict[str, Any]]:
        """Return by size the fields that differ from the defaults."""
        large = {"net_dim": 512, "net_blocks": 12, "net_heads": 8, "net_hidden": 576, "net_refine": 64}
        larger = {"net_dim": 768, "net_blocks": 12, "net_heads": 12, "net_hidden": 864, "net_refine": 64}
        return {"base": large, "std16k": larger, "paper": larger}


@dataclasses.dataclass(frozen=True, kw_only=True)
class JudgeSettings(Subject):
    """The settings that decide the classifier of noisy audio and video that go together.

    Attributes:
        judge_dim: Width of the network.
        judge_blocks: Its blocks.
        judge_heads: Its heads.
        judge_steps: Optimiser steps.
        judge_batch: Batch size.
        judge_rate: Peak learning rate.
        judge_ema: Decay of the averaged weights.
        judge_true_p: Share of pairs that go together; of the others, half are moved in time, half of another clip.
    """

    judge_dim: int = 64
    judge_blocks: int = 2
    judge_heads: int = 4
    judge_steps: int = amount(450)
    judge_batch: int = 16
    judge_rate: float = 2e-3
    judge_ema: float = 0.98
    judge_true_p: float = 0.5

    @classmethod
    def sizes(cls) -> dict[str, JudgeSettings]:
        """Return the settings of every size."""
        large = cls(judge_dim=256, judge_blocks=4, judge_steps=6000, judge_batch=256, judge_rate=3e-4, judge_ema=0.999)
        return {"tiny": cls(), "base": large, "std16k": large, "paper": large}


@dataclasses.dataclass(frozen=True, kw_only=True)
class DoubleSettings(Subject):
    """The second guidance; nothing of it is trained.

    Attributes:
        judge_guidance: Scale of the guidance by the gradient of the judge; 0 for none.
    """

    judge_guidance: float = 50.0

    @classmethod
    def sizes(cls) -> dict[str, DoubleSettings]:
        """Return the settings of every size."""
        return {size: cls() for size in SIZES}


@dataclasses.dataclass(frozen=True, kw_only=True)
class JudgePartSettings:
    """Everything that decides a trained judge, beside the frame features."""

    signal: SignalSettings
    net: DiffusionSettings
    judge: JudgeSettings
    loop: LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class DiffusionPartSettings:
    """Everything that decides a trained diffusion, beside the frame features."""

    signal: SignalSettings
    net: DiffusionSettings
    loop: LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class DiffFoleySettings:
    """The settings that decide a trained Diff-Foley."""

    signal: SignalSettings
    alignment: FeatureSettings
    net: DiffusionSettings
    judge: JudgeSettings
    double: DoubleSettings
    loop: LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class DiffFoleyOptions(SystemOptions):
    """Options of a run.

    Attributes:
        judge: Folder of a trained judge to use instead of training one.
        diffusion: Folder of a trained denoiser to use instead of training one.
    """

    judge: str = ""
    diffusion: str = ""
