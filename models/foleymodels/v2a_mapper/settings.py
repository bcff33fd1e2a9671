"""Compose the settings of V2A-Mapper."""

from __future__ import annotations

import dataclasses

from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.settings import Subject, amount, choice
from foleymodels._parts.signal import SignalSettings
from foleymodels._sound_text.settings import SoundSettings, TextSettings
from foleymodels._systems.settings import FeatureSettings
from foleymodels._training.settings import LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class MapperSettings(Subject):
    """The settings that decide a trained mapper.

    Attributes:
        mapper: ``prior`` (a diffusion whose transformer estimates the vector of sound) or ``regression``.
        mapper_dim: Width of its network.
        mapper_blocks: Its blocks.
        mapper_heads: Heads of the prior.
        mapper_steps: Optimiser steps.
        mapper_batch: Batch size.
        mapper_rate: Peak learning rate.
        mapper_ema: Decay of the averaged weights.
        mapper_nfe: Evaluations of the prior for a clip; a regression has one.
    """

    mapper: str = choice("prior", "regression")
    mapper_dim: int = 128
    mapper_blocks: int = 2
    mapper_heads: int = 4
    mapper_steps: int = amount(600)
    mapper_batch: int = 64
    mapper_rate: float = 1e-3
    mapper_ema: float = 0.98
    mapper_nfe: int = 25

    @classmethod
    def sizes(cls) -> dict[str, MapperSettings]:
        """Return the settings of every size."""
        large = cls(
            mapper_dim=512, mapper_blocks=6, mapper_heads=8, mapper_steps=6000, mapper_batch=256, mapper_rate=2e-4,
            mapper_ema=0.999,
        )  # fmt: skip
        return {"tiny": cls(), "base": large, "std16k": large, "paper": large}


@dataclasses.dataclass(frozen=True, kw_only=True)
class MapperPartSettings:
    """Everything that decides a trained mapper, beside the vectors that it maps between."""

    sound: SoundSettings
    mapper: MapperSettings
    loop: LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class V2AMapperSettings:
    """The settings that decide a trained V2A-Mapper."""

    signal: SignalSettings
    alignment: FeatureSettings
    sound: SoundSettings
    text: TextSettings
    mapper: MapperSettings
    flow: FlowSettings
    loop: LoopSettings
