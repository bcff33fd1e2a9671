"""Put small frozen encoders into an alignment network."""

from __future__ import annotations

import functools

from torch import nn

from foleybench.runtime import distributed
from foleymodels._alignment.network import Alignment, FrozenFrames
from foleymodels._parts.checkpoint import below
from foleymodels._small_encoders.train import PretextSettings, pretrained
from foleymodels._training.decoded_data import TrainingData


def load_encoders(alignment: Alignment, data: TrainingData, seed: int, device: str = "cpu") -> None:
    """Put pretrained weights into the frozen encoders of a new network; trains them first when that was never done.

    Args:
        alignment: The network.
        data: Training data.
        seed: Seed of the pretraining.
        device: Torch device of the pretraining; the network stays where it is.
    """
    settings = alignment.settings
    frozen: list[tuple[str, str, nn.Module]] = []  # name of the objective, of its tower, and the module for the weights
    if isinstance(alignment.video, FrozenFrames):
        frozen.append((settings.video_encoder, "picture", alignment.video.encoder))
    if alignment.sound is not None:
        frozen.append((settings.audio_target, "sound", alignment.sound))
    for name, tower, module in frozen:
        wanted = PretextSettings(
            name=name, dim=settings.encoder_dim, steps=settings.encoder_steps,
            batch=settings.encoder_batch, rate=settings.encoder_rate, seed=seed,
        )  # fmt: skip
        weights = distributed.after_first(functools.partial(pretrained, wanted, data, device))
        module.load_state_dict(below(weights, tower))
