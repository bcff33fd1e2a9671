"""Set the level of every clip."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray
from foleybench.synthesis.noise import band

PEAK = 0.85
_FLOOR = 4e-4


def level(sound: AudioArray, rate_hz: int, *, peak: float, rng: np.random.Generator) -> AudioArray:
    """Scale to a peak and add a faint noise floor; the result never clips."""
    top = float(np.abs(sound).max()) if len(sound) else 0.0
    gain = peak / top if top > 0.0 else 0.0
    floor = band(len(sound), rate_hz, 60.0, 0.4 * rate_hz, rng=rng)
    return np.asarray(np.clip(sound * np.float32(gain) + np.float32(_FLOOR) * floor, -1.0, 1.0), dtype=np.float32)


def peak_of(strength: float, distance_m: float) -> float:
    """Return the peak of a clip whose strongest event has this strength, seen from this distance.

    Example:
        >>> peak_of(1.0, 1.0), round(peak_of(1.0, 2.0) / peak_of(1.0, 1.0), 3)
        (0.85, 0.574)
    """
    return float(PEAK * strength * distance_m**-0.8)
