"""Define the settings of codecs of mel tokens."""

from __future__ import annotations

import dataclasses
from typing import Any

from foleymodels._parts.settings import Subject, amount
from foleymodels._parts.signal import SignalSettings
from foleymodels._training.settings import LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class CodecTrainingSettings(Subject):
    """The settings of a codec's training, whatever its codes are.

    Attributes:
        code_decay: Decay of the running counts and sums of which codes are the means.
        dead_below: A code whose running count a step falls below this is replaced by a latent of the batch.
        commitment: Weight of the distance of latents from their codes.
        codec_crop_s: Length of training examples.
        codec_steps: Optimiser steps.
        codec_batch: Batch size.
        codec_rate: Peak learning rate.
    """

    code_decay: float = 0.97
    dead_below: float = 0.5
    commitment: float = 0.25
    codec_crop_s: float = 2.08
    codec_steps: int = amount(900)
    codec_batch: int = 16
    codec_rate: float = 2e-3


@dataclasses.dataclass(frozen=True, kw_only=True)
class CodecSettings(CodecTrainingSettings):
    """The settings that decide a trained residual codec, beside the signal.

    Attributes:
        codec_dim: Width of its encoder and decoder.
        codec_blocks: Their convolution blocks.
        latent_dim: Numbers that a code stands for.
        codec_levels: Codes a token: each level quantises what the levels before left.
        codebook_size: Codes of a level.
        level_drop_p: Share of examples whose later levels are left out, from a random level on.
    """

    codec_dim: int = 128
    codec_blocks: int = 2
    latent_dim: int = 32
    codec_levels: int = 4
    codebook_size: int = 256
    level_drop_p: float = 0.0

    @classmethod
    def sizes(cls) -> dict[str, Any]:
        """Return the settings of every size."""
        large = cls(
            codec_dim=384, codec_blocks=4, latent_dim=64, codebook_size=1024, code_decay=0.99, codec_steps=12000,
            codec_batch=64, codec_rate=3e-4,
        )  # fmt: skip
        return {"tiny": cls(), "base": large, "std16k": large, "paper": large}


@dataclasses.dataclass(frozen=True, kw_only=True)
class CodecStageSettings:
    """Everything that decides a trained residual codec."""

    signal: SignalSettings
    codec: CodecSettings
    loop: LoopSettings
