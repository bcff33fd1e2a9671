"""Define the settings of the sound-text model."""

from __future__ import annotations

import dataclasses

from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.settings import Subject, amount
from foleymodels._parts.signal import SignalSettings
from foleymodels._systems.settings import SystemOptions
from foleymodels._training.settings import LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextSettings(Subject):
    """The settings of a text encoder.

    Attributes:
        text_dim: Width of the network.
        text_blocks: Its blocks.
        text_heads: Its heads.
        text_words: Rows of its table of words; rarer words of the training captions are unknown words.
    """

    text_dim: int = 64
    text_blocks: int = 2
    text_heads: int = 4
    text_words: int = 512

    @classmethod
    def sizes(cls) -> dict[str, TextSettings]:
        """Return the settings of every size."""
        large = cls(text_dim=256, text_blocks=4, text_words=8192)
        return {"tiny": cls(), "base": large, "std16k": large, "paper": large}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoundSettings(Subject):
    """The settings that decide a trained sound-text model, beside those of its text encoder.

    Attributes:
        vector_dim: Width of the space of sound and text.
        sound_dim: Width of the audio tower.
        sound_crop_s: Length of training examples.
        sound_steps: Optimiser steps.
        sound_batch: Batch size.
        sound_rate: Peak learning rate.
        sound_ema: Decay of the averaged weights.
    """

    vector_dim: int = 64
    sound_dim: int = 96
    sound_crop_s: float = 2.08
    sound_steps: int = amount(400)
    sound_batch: int = 32
    sound_rate: float = 2e-3
    sound_ema: float = 0.98

    @classmethod
    def sizes(cls) -> dict[str, SoundSettings]:
        """Return the settings of every size; crops are those of the flow."""
        large = cls(
            vector_dim=256, sound_dim=384, sound_crop_s=8.0, sound_steps=4000, sound_batch=256, sound_rate=3e-4,
            sound_ema=0.999,
        )  # fmt: skip
        return {
            "tiny": cls(),
            "base": large,
            "std16k": large,
            "paper": dataclasses.replace(large, sound_crop_s=3.2),
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoundTextSettings:
    """Everything that decides a trained sound-text model."""

    signal: SignalSettings
    sound: SoundSettings
    text: TextSettings
    loop: LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoundFlowSettings:
    """Everything that decides a trained flow on vectors of sound, beside the sound-text model itself."""

    signal: SignalSettings
    sound: SoundSettings
    flow: FlowSettings
    loop: LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoundTextOptions(SystemOptions):
    """Options of a run of a system on a flow that never sees video.

    Attributes:
        sound_text: Folder of a trained sound-text model to use instead of training one.
        flow: Folder of a flow that was trained on its vectors, to use instead of training one.
    """

    sound_text: str = ""
    flow: str = ""
