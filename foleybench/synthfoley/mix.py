"""The room, the microphone and the level of every clip."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray
from foleybench.synthfoley.noise import band
from foleybench.synthfoley.spectrum import fast_length, forward, frequencies, inverse

PEAK = 0.85
_FLOOR = 4e-4


def room(dry: AudioArray, rate_hz: int, *, distance_m: float, rng: np.random.Generator) -> AudioArray:
    """Return the sound in a random room through a random microphone; farther is duller and more reverberant."""
    decay_s = rng.uniform(0.03, 0.09)
    wet = rng.uniform(0.04, 0.10) * (0.5 + 0.5 * distance_m)
    n_tail = int(5 * decay_s * rate_hz)
    response = rng.standard_normal(n_tail).astype(np.float32)
    response *= np.exp(-np.arange(n_tail, dtype=np.float32) / np.float32(decay_s * rate_hz))
    response *= np.float32(wet / np.sqrt(decay_s * rate_hz))
    response[0] += 1.0
    size = fast_length(len(dry) + n_tail)
    freq_hz = frequencies(size, rate_hz)
    air = 1.0 / np.sqrt(1.0 + (freq_hz / np.float32(24000.0 / distance_m)) ** 2)
    tilt = (np.maximum(freq_hz, 50.0) / np.float32(1000.0)) ** np.float32(rng.uniform(-0.12, 0.12))
    spectrum = forward(dry, size) * forward(response, size) * (air * tilt)
    return np.ascontiguousarray(inverse(spectrum, size)[: len(dry)])


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
