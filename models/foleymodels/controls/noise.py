"""Control: white noise as strong as the real audio.

The noise covers the whole band: right in power, wrong in all else.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.model import Model
from foleybench.clips import AudioArray, Clip
from foleymodels.controls._change import Control, rms


def _noise(clip: Clip, own: AudioArray, rng: np.random.Generator) -> AudioArray:
    return (rng.standard_normal(len(own)) * rms(own)).astype(np.float32)


MODEL = Model(
    title="White noise",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="White noise over the whole band, as strong as the real audio.",
    build=lambda context: Control(_noise),
)
