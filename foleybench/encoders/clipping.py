"""Share of the audio at full scale. No weights.

Layers:
    full_scale_share: () float64: share of the samples, at 48 kHz, whose magnitude is at least 0.99.

Audio that was clipped and then made quieter is not noticed. Where audio is resampled, a clipped stretch ripples
around full scale, so that a part of it (under a fifth) falls below the bound.

Sources: none; a plain definition.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import Encode, Encoder, one_by_one
from foleybench.clips import AudioArray
from foleybench.media.audio import require_finite

FULL_SCALE = 0.99


def full_scale_share(audio: AudioArray) -> float:
    """Return the share of samples (N,) at full scale; 0 of no samples.

    Example:
        >>> full_scale_share(np.array([1.0, -1.0, 0.5, 0.0], dtype=np.float32))
        0.5
    """
    require_finite(audio)
    return float(np.count_nonzero(np.abs(audio) >= FULL_SCALE) / max(len(audio), 1))


def _build(device: str) -> Encode:
    return one_by_one(lambda signal: {"full_scale_share": np.asarray(full_scale_share(signal.audio))})


ENCODER = Encoder(
    version=1,
    rate_hz=48000,
    layers={"full_scale_share": ()},
    licence="MIT",
    source="foleybench",
    build=_build,
)
