"""Control: the real audio in half the models' band.

The models here make 16 kHz audio; some published ones make 8 kHz. This row shows the loss by that rate alone, which
no system of the narrow band can honestly exceed.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.model import Model
from foleybench.clips import AudioArray, Clip
from foleybench.media.audio import resample
from foleymodels.controls._change import Control

_RATE_HZ = 16000
_NARROW_HZ = 8000


def _narrow(clip: Clip, own: AudioArray, rng: np.random.Generator) -> AudioArray:
    return resample(resample(own, _RATE_HZ, _NARROW_HZ), _NARROW_HZ, _RATE_HZ)


MODEL = Model(
    title="Ground truth, 4 kHz band",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="The real audio through 8 kHz, the rate of the Foley-Flow paper: the loss by the band alone.",
    build=lambda context: Control(_narrow, rate_hz=_RATE_HZ),
)
