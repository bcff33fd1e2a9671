"""Compose the settings of Seeing and Hearing."""

from __future__ import annotations

import dataclasses

from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.settings import SIZES, Subject, amount, choice
from foleymodels._parts.signal import SignalSettings
from foleymodels._sound_text.settings import SoundSettings, TextSettings
from foleymodels._systems.settings import FeatureSettings
from foleymodels._training.settings import LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlignerSettings(Subject):
    """The settings that decide a trained audio-visual aligner.

    Attributes:
        aligner_dim: Width of its towers.
        aligner_vector_dim: Width of the space in which it compares.
        aligner_crop_s: Length of the crops that it compares; nothing within one is timed.
        aligner_steps: Optimiser steps.
        aligner_batch: Batch size.
        aligner_rate: Peak learning rate.
        aligner_ema: Decay of the averaged weights.
        captions_most: Captions that it can tell of a video: the most frequent ones of the training clips.
    """

    aligner_dim: int = 96
    aligner_vector_dim: int = 64
    aligner_crop_s: float = 1.0
    aligner_steps: int = amount(600)
    aligner_batch: int = 32
    aligner_rate: float = 2e-3
    aligner_ema: float = 0.98
    captions_most: int = 512

    @classmethod
    def sizes(cls) -> dict[str, AlignerSettings]:
        """Return the settings of every size."""
        large = cls(
            aligner_dim=384, aligner_vector_dim=256, aligner_steps=6000, aligner_batch=256, aligner_rate=3e-4,
            aligner_ema=0.999, captions_most=2048,
        )  # fmt: skip
        return {"tiny": cls(), "base": large, "std16k": large, "paper": large}


@dataclasses.dataclass(frozen=True, kw_only=True)
class AscentSettings(Subject):
    """How the flow is steered; nothing of it is trained. Defaults are those of the released script.

    Attributes:
        ascent_nfe: Default number of steps of the flow.
        ascent_steps: Steps on the point after each step of the flow; 0 samples the plain flow.
        ascent_rate: Their learning rate.
        ascent_start: Share of the flow's steps that are left alone at the beginning.
        prompt: What the flow is told: the vector of the ``caption`` that the aligner finds nearest, or ``none``.
    """

    ascent_nfe: int = 30
    ascent_steps: int = 1
    ascent_rate: float = 0.1
    ascent_start: float = 0.2
    prompt: str = choice("caption", "none")

    @classmethod
    def sizes(cls) -> dict[str, AscentSettings]:
        """Return the settings of every size."""
        return {size: cls() for size in SIZES}


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlignerPartSettings:
    """Everything that decides a trained aligner, beside the frame features."""

    signal: SignalSettings
    aligner: AlignerSettings
    loop: LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeeingHearingSettings:
    """The settings that decide a trained Seeing and Hearing."""

    signal: SignalSettings
    alignment: FeatureSettings
    sound: SoundSettings
    text: TextSettings
    aligner: AlignerSettings
    flow: FlowSettings
    ascent: AscentSettings
    loop: LoopSettings
