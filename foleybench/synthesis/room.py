"""Simulate a random room and a random microphone."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray
from foleybench.synthesis.portable import power32
from foleybench.synthesis.spectrum import fast_length, forward, frequencies, inverse


def room(dry: AudioArray, rate_hz: int, *, distance_m: float, rng: np.random.Generator) -> AudioArray:
    """Return the audio in a random room through a random microphone; farther is duller and more reverberant."""
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
    tilt = power32(np.maximum(freq_hz, 50.0) / np.float32(1000.0), rng.uniform(-0.12, 0.12))
    spectrum = forward(dry, size) * forward(response, size) * (air * tilt)
    return np.ascontiguousarray(inverse(spectrum, size)[: len(dry)])
