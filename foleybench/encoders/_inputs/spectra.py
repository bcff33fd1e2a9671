"""Compute short-time spectra for the signal detectors, in numpy."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from foleybench.clips import AudioArray, FloatArray
from foleybench.media.audio import require_finite

BLOCK = 2048
# A mel band of encoder ``logmel``'s profile is never below this: it is empty.
PROFILE_FLOOR_DB = -100.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class MelGrid:
    """The times and frequencies of a spectrogram.

    Attributes:
        rate_hz: Sample rate of the audio.
        window: Length of the Hann window (and of the FFT) in samples.
        hop: Samples from one frame to the next; frame ``k`` is centred on sample ``k * hop``.
        n_bands: Number of mel bands.
        low_hz: Lower edge of the lowest band.
        high_hz: Upper edge of the highest band.
    """

    rate_hz: int
    window: int
    hop: int
    n_bands: int
    low_hz: float
    high_hz: float

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames of audio: one per started hop, and at least one."""
        return max(1, -(-n_samples // self.hop))


def mel_power(audio: AudioArray, grid: MelGrid) -> FloatArray:
    """Return the mean power of audio in each mel band and frame.

    A band holds the weighted mean of its bins, so white noise has the same power in all bands, and a full-scale sine
    has about 0 dB summed over its window.

    Args:
        audio: Shape (N,).
        grid: Times and frequencies of the spectrogram.

    Returns:
        Shape (``grid.n_frames(N)``, ``grid.n_bands``), float64.

    Raises:
        FoleyError: The audio holds a sample that is not finite.
    """
    require_finite(audio)
    n_frames = grid.n_frames(len(audio))
    half = grid.window // 2
    needed = (n_frames - 1) * grid.hop + grid.window
    padded = np.zeros(max(needed, half + len(audio)))
    padded[half : half + len(audio)] = audio
    frames = np.lib.stride_tricks.sliding_window_view(padded, grid.window)[:: grid.hop][:n_frames]
    taper, filters = _taper(grid), mel_triangles(grid)
    out = np.empty((n_frames, grid.n_bands))
    for start in range(0, n_frames, BLOCK):
        spectrum = np.fft.rfft(frames[start : start + BLOCK] * taper, axis=1)
        out[start : start + BLOCK] = (spectrum.real**2 + spectrum.imag**2) @ filters
    return out


def decibels(power: FloatArray, floor_db: float) -> FloatArray:
    """Return power in dB, never below ``floor_db``."""
    floor = 10.0 ** (floor_db / 10.0)
    # The logarithm of the floor is it up to rounding, which differs between processors.
    return np.asarray(np.maximum(10.0 * np.log10(np.maximum(power, floor)), floor_db), dtype=np.float64)


def without_dc(audio: AudioArray) -> AudioArray:
    """Return audio without its mean (its constant part), shape (N,), float32.

    Raises:
        FoleyError: The audio holds a sample that is not finite.
    """
    require_finite(audio)
    mean = audio.mean(dtype=np.float64) if len(audio) else 0.0
    return (audio - mean).astype(np.float32)


def mel_of_hz(hz: FloatArray) -> FloatArray:
    """Return frequencies on the HTK mel scale."""
    return np.asarray(2595.0 * np.log10(1.0 + hz / 700.0), dtype=np.float64)


@functools.lru_cache(maxsize=8)
def _taper(grid: MelGrid) -> FloatArray:
    taper = np.hanning(grid.window + 1)[:-1]
    return np.asarray(taper * np.sqrt(2.0) / taper.sum(), dtype=np.float64)


@functools.lru_cache(maxsize=8)
def mel_triangles(grid: MelGrid) -> FloatArray:
    """Triangles on the mel scale, each of unit sum, shape (n_bins, n_bands)."""
    bins = mel_of_hz(np.arange(grid.window // 2 + 1, dtype=np.float64) * (grid.rate_hz / grid.window))
    low, high = mel_of_hz(np.array([grid.low_hz, grid.high_hz]))
    edges = np.linspace(low, high, grid.n_bands + 2)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    total = weights.sum(axis=0)
    if (total == 0).any():
        raise ValueError(f"{grid} has mel bands narrower than a bin; use a longer window or fewer bands")
    return np.asarray(weights / total, dtype=np.float64)
