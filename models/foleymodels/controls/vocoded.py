"""Control: the real audio through mel tokens and vocoder.

The best that any model here can reach.
"""

from __future__ import annotations

import numpy as np
import torch

from foleybench.api.model import BuildContext, Model
from foleybench.clips import AudioArray, Clip
from foleymodels._parts.mel import Mel
from foleymodels._parts.signal import SignalSettings
from foleymodels._vocoders.choose import vocoder_of
from foleymodels.controls._change import Control


def build(context: BuildContext) -> Control:
    """Make the control with the mel transform and vocoder of size tiny."""
    settings = SignalSettings.sizes()["tiny"]
    mel, vocoder = Mel(settings.mel), vocoder_of(context, settings.mel, settings.vocoder_iterations)

    @torch.inference_mode()
    def round_trip(clip: Clip, own: AudioArray, rng: np.random.Generator) -> AudioArray:
        tokens = mel.tokens(torch.from_numpy(own)[None])
        audio = vocoder(tokens, len(own))
        return np.ascontiguousarray(audio[0].clamp(-1.0, 1.0).numpy())

    return Control(round_trip, rate_hz=settings.rate_hz, vocoder=vocoder.name)


MODEL = Model(
    title="Ground truth, vocoded",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="The real audio through the models' mel tokens and vocoder.",
    build=build,
)
