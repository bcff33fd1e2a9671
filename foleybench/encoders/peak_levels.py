"""Peak level over time. No weights.

Layers:
    peak_db: (T,) float64: the largest absolute sample of each 5 ms in dB re full scale, never below -80 dB.

The mean of the clip (DC) is taken away first: it is not heard. A peak says how hard something was hit where its sound
dies away in a few milliseconds; an RMS level over 25 ms (encoder ``envelope``) mixes that with how long it rings.

Sources: none; a plain definition.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, one_by_one
from foleybench.clips import AudioArray, FloatArray
from foleybench.encoders._inputs.spectra import decibels, without_dc

RATE_HZ = 16000
STEP = 80
FLOOR_DB = -80.0


def peak_curve(audio: AudioArray) -> FloatArray:
    """Return the peak level every 5 ms.

    Args:
        audio: Shape (N,) at 16 kHz.

    Returns:
        Shape (ceil(N / 80),), at least one value; value k is of the samples from 80 k on.

    Raises:
        FoleyError: The audio holds a sample that is not finite.

    Example:
        >>> import numpy as np
        >>> peak_curve(np.float32([0.5, -0.5] * 40 + [0.05, -0.05] * 40)).round(2).tolist()
        [-6.02, -26.02]
    """
    loud = np.abs(without_dc(audio))
    n_steps = max(1, -(-len(loud) // STEP))
    peaks = np.pad(loud, (0, n_steps * STEP - len(loud))).reshape(n_steps, STEP).max(axis=1)
    return decibels(peaks**2, FLOOR_DB)


def _build(device: str) -> Encode:
    return one_by_one(lambda signal: {"peak_db": peak_curve(signal.audio)})


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"peak_db": (ANY,)},
    licence="MIT",
    source="foleybench",
    build=_build,
)
