"""Level over time. No weights.

Layers:
    level_db: (T,) float64: RMS level in dB re full scale, one value per 10 ms, each over 25 ms around it, never below
        -80 dB.
    mean_db: () float64: RMS level of the whole clip in dB, never below -80 dB.

The mean of the clip (DC) is subtracted first: it is inaudible.

Sources: none; a plain definition.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, one_by_one
from foleybench.clips import AudioArray, FloatArray
from foleybench.encoders._inputs.spectra import decibels
from foleybench.media.audio import require_finite

RATE_HZ = 16000
HOP = 160
WINDOW = 400
FLOOR_DB = -80.0


def level_curve(audio: AudioArray) -> FloatArray:
    """Return the RMS level every 10 ms.

    Args:
        audio: Shape (N,) at 16 kHz.

    Returns:
        Shape (ceil(N / 160),), at least one value. Windows that reach over an end average what lies inside.
    """
    power = _without_dc(audio) ** 2
    total = np.concatenate([[0.0], np.cumsum(power)])
    centres = np.arange(max(1, -(-len(audio) // HOP))) * HOP + HOP // 2
    first = np.clip(centres - WINDOW // 2, 0, len(audio))
    last = np.clip(centres + WINDOW // 2, 0, len(audio))
    mean = (total[last] - total[first]) / np.maximum(last - first, 1)
    return decibels(np.maximum(mean, 0.0), FLOOR_DB)


def _without_dc(audio: AudioArray) -> FloatArray:
    require_finite(audio)
    samples = audio.astype(np.float64)
    return samples - samples.mean() if len(samples) else samples


def _encode_one(audio: AudioArray) -> Features:
    power = np.mean(_without_dc(audio) ** 2) if len(audio) else 0.0
    return {"level_db": level_curve(audio), "mean_db": decibels(np.asarray(power), FLOOR_DB)}


def _build(device: str) -> Encode:
    return one_by_one(lambda signal: _encode_one(signal.audio))


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"level_db": (ANY,), "mean_db": ()},
    licence="MIT",
    source="foleybench",
    build=_build,
)
