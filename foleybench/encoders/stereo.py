"""Where audio sounds between left and right. No weights.

Layers:
    powers: (3,) float64: means over the clip of left squared, right squared, and left times right.
    balance: (ANY,) float64: every 50 ms, power of the right less that of the left, as a share of both: -1 to 1.

48 kHz, both channels. Balance is that of the power and 1e-8 (-80 dB re full scale): a silent part is in the middle.
Decided here: the rest of the last 50 ms is left out; a clip shorter than that is one part.

Sources: foleybench.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal, one_by_one
from foleybench.clips import AudioArray

RATE_HZ = 48000
PART = RATE_HZ // 20
# Mean square of -80 dB re full scale.
FLOOR = 1e-8


def stereo_features(sides: AudioArray) -> Features:
    """Return ``powers`` and ``balance`` of left and right, shape (2, N), at 48 kHz.

    Example:
        >>> found = stereo_features(np.array([[0.5] * 4800, [0.0] * 4800], dtype=np.float32))
        >>> found["powers"].tolist(), found["balance"].round(6).tolist()
        ([0.25, 0.0, 0.0], [-1.0, -1.0])
    """
    left, right = sides.astype(np.float64)
    n = max(1, len(left))
    size = min(PART, n)
    parts = len(left) // size
    part = [np.square(side[: parts * size]).reshape(parts, size).mean(axis=1) for side in (left, right)]
    return {
        "powers": np.array([left @ left, right @ right, left @ right]) / n,
        "balance": (part[1] - part[0]) / (part[0] + part[1] + FLOOR),
    }


def _encode(signal: Signal) -> Features:
    assert signal.sides is not None  # the contract of modality ``sides``
    return stereo_features(signal.sides)


def _build(device: str) -> Encode:
    return one_by_one(_encode)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    modality="sides",
    layers={"powers": (3,), "balance": (ANY,)},
    licence="MIT",
    source="foleybench",
    build=_build,
)
