"""Read a trained mixture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from foleybench.api.model import BuildContext
from foleybench.clips import AudioArray
from foleybench.errors import FoleyError
from foleymodels._babble.settings import BabbleSettings
from foleymodels._parts import checkpoint
from foleymodels._parts.settings import read_settings


class TrainedMixture(NamedTuple):
    """A checkpoint's mixture.

    Attributes:
        audio: Shape (N,).
        rate_hz: Its rate.
        config: What else stands beside the weights.
    """

    audio: AudioArray
    rate_hz: int
    config: Mapping[str, Any]


def trained_mixture(context: BuildContext, kind: str) -> TrainedMixture:
    """Read the mixture that ``foleybench train`` made for a babble.

    Raises:
        FoleyError: No checkpoint, or one of another kind.
    """
    if context.checkpoint is None:
        raise FoleyError(f"`{kind}` needs its mixture: name its run folder with --checkpoint, or train it first.")
    tensors, config = checkpoint.read_checkpoint(context.checkpoint, kind)
    settings = read_settings(BabbleSettings, config["settings"], context.checkpoint)
    return TrainedMixture(tensors["audio"].numpy(), settings.signal.rate_hz, config)
