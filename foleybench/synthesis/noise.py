"""Make noise of a spectrum, and waves of a phase."""

from __future__ import annotations

import functools

import numpy as np

from foleybench.clips import AudioArray, FloatArray
from foleybench.synthesis.normal import normal
from foleybench.synthesis.portable import power32
from foleybench.synthesis.spectrum import fast_length, frequencies, inverse


def band(n_samples: int, rate_hz: int, low_hz: float, high_hz: float, *, rng: np.random.Generator) -> AudioArray:
    """Return Gaussian noise between two frequencies with soft edges, unit RMS, shape (n_samples,).

    The noise is drawn as a random spectrum, which costs one transform and needs no filter.
    """
    size = fast_length(n_samples)
    gains = _edges(size, rate_hz, low_hz, high_hz)
    parts = normal(rng, (2, len(gains))) * gains
    noise = inverse((parts[0] + 1j * parts[1]).astype(np.complex64), size)[:n_samples]
    rms = float(np.sqrt(np.mean(np.square(noise, dtype=np.float64)))) + 1e-12
    return np.asarray(noise / np.float32(rms), dtype=np.float32)


@functools.lru_cache(maxsize=8)
def _edges(size: int, rate_hz: int, low_hz: float, high_hz: float) -> AudioArray:
    """Return the gain of every frequency of a transform; some bands are those of every clip."""
    freq_hz = frequencies(size, rate_hz)
    rise, fall = power32(low_hz / np.maximum(freq_hz, 1.0), 6), power32(freq_hz / high_hz, 6)
    shape = 1.0 / (1.0 + rise) / (1.0 + fall)
    return np.asarray(np.sqrt(shape.astype(np.float32)))


def wave(phase: FloatArray, gains: FloatArray, rng: np.random.Generator) -> AudioArray:
    """Return a harmonic tone: a random-phase wave of the given harmonics, read at any phase in cycles.

    Args:
        phase: Phase in cycles, shape (n,).
        gains: Amplitudes of harmonics 1, 2 ..., shape (K,).
        rng: Draws the phases of the harmonics.
    """
    size = 2048
    spectrum = np.zeros(size // 2 + 1, dtype=np.complex128)
    spectrum[1 : len(gains) + 1] = gains * np.exp(2j * np.pi * rng.uniform(size=len(gains))) * (size / 2)
    table = np.fft.irfft(spectrum).astype(np.float32)
    place = ((phase % 1.0) * size).astype(np.float32)
    left = place.astype(np.int32) % size
    part = place - np.floor(place)
    return np.asarray(table[left] + part * (table[(left + 1) % size] - table[left]), dtype=np.float32)
