"""Baseline: one mixture of training clips for every video.

A column in which a model does not beat it says nothing about seeing. It is the sum of 40 training clips, one drawn from
each of 40 equal stretches of the train split by the seed, each at the same loudness; the sum has the median loudness of
training clips and is cut or repeated to a clip's length. No network, no label, no event. Its audio is training audio;
how much of it ``copying_share`` finds was not measured. Another seed draws other clips, and scores differ between them.

``foleybench train fixed_babble --data shards/synthfoley/train.manifest.jsonl --out runs/fixed_babble``
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from foleybench.api.model import BuildContext, Model, TrainContext
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.shards.dataset import ShardDataset
from foleymodels._babble.mixture import at_level, loudness, mix, played, spread_over, typical_loudness
from foleymodels._babble.settings import babble_settings, check_babble
from foleymodels._babble.trained import trained_mixture
from foleymodels._parts.training_audio import load_audio
from foleymodels._training.job import is_finished, save_checkpoint

KIND = "fixed_babble"


def train(context: TrainContext) -> Path:
    """Mix the training clips, in seconds; the seed draws them."""
    settings = babble_settings(context)
    if is_finished(context, KIND, settings):
        return context.out
    sounds, rate_hz = ShardDataset(context.data), settings.signal.rate_hz
    mixture = mix(sounds, settings.mixture, rate_hz, context.seed)
    measured = spread_over(len(sounds), settings.mixture.n_measured, context.seed)
    level = typical_loudness([loudness(load_audio(sounds, sounds.clip_ids[place], rate_hz)) for place in measured])
    tensors = {"audio": torch.from_numpy(at_level(mixture.audio, level))}
    save_checkpoint(context.out, KIND, settings, tensors, context, KIND, clip_ids=list(mixture.clip_ids))
    return context.out


class FixedBabbleGenerator:
    """Plays the mixture to every video."""

    nfe = 0
    guidance: float | None = None

    def __init__(self, audio: AudioArray, rate_hz: int) -> None:
        self._audio, self.rate_hz = audio, rate_hz

    def generate(self, clips: Sequence[Clip], rng: np.random.Generator) -> list[AudioArray]:
        """Return the mixture at the length of each clip."""
        return [played(self._audio, Clock(clip.duration_s).samples(self.rate_hz)) for clip in clips]


def build(context: BuildContext) -> FixedBabbleGenerator:
    """Read the mixture.

    Raises:
        FoleyError: No checkpoint.
    """
    trained = trained_mixture(context, KIND)
    return FixedBabbleGenerator(trained.audio, trained.rate_hz)


MODEL = Model(
    title="Fixed babble",
    kind="baseline",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Plays one mixture of 40 training clips to every video.",
    build=build,
    train=train,
    check=check_babble,
)
