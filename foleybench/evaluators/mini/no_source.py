"""Make audio in which nothing sounds: silence, noise, hum.

A judge that has only met real clips puts these into some class, and silence or noise may pass for a clip of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from foleybench.clips import AudioArray
from foleybench.encoders._nets.mini_nets import GRID, audio_input

_KINDS = ("silence", "white", "coloured", "band", "hum")
_LOUDEST, _QUIETEST = 0.3, 3e-5


def without_sources(n: int, n_frames: int, rng: np.random.Generator) -> npt.NDArray[np.float16]:
    """Return spectrograms of audio in which nothing sounds, kinds in turn, shape (n, 64, T).

    Args:
        n: Number of spectrograms.
        n_frames: Length of each, T.
        rng: Draws levels, bands, slopes and pitches.
    """
    made = [audio_input(_audio(_KINDS[number % len(_KINDS)], n_frames * GRID.hop, rng)) for number in range(n)]
    return np.stack(made).astype(np.float16)


def _audio(kind: str, n: int, rng: np.random.Generator) -> AudioArray:
    level = np.exp(rng.uniform(np.log(_QUIETEST), np.log(_LOUDEST)))
    if kind == "silence":
        return np.zeros(n, dtype=np.float32)
    if kind == "hum":
        time_s = np.arange(n) / GRID.rate_hz
        partials = [np.sin(2 * np.pi * (hz * time_s + rng.uniform())) / hz for hz in _hum_hz(rng)]
        return _scaled(np.sum(partials, axis=0) + 0.01 * rng.standard_normal(n), level)
    noise = rng.standard_normal(n)
    if kind == "coloured":
        spectrum = np.fft.rfft(noise) * np.maximum(np.fft.rfftfreq(n), 1e-3) ** rng.uniform(-1.2, 0.6)
        noise = np.fft.irfft(spectrum, n)
    if kind == "band":
        low_hz = np.exp(rng.uniform(np.log(60.0), np.log(4000.0)))
        high_hz = min(low_hz * 2 ** rng.uniform(0.3, 4.0), 0.49 * GRID.rate_hz)
        band = butter(4, (low_hz, high_hz), "bandpass", fs=GRID.rate_hz, output="sos")
        noise = sosfilt(band, noise) + 1e-3 * rng.uniform() * rng.standard_normal(n)
    return _scaled(noise, level)


def _hum_hz(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a steady tone's partials, in Hz."""
    return rng.uniform(50.0, 1000.0) * np.arange(1, int(rng.integers(2, 7)), dtype=np.float64)


def _scaled(audio: npt.NDArray[np.float64], rms: float) -> AudioArray:
    return (audio * (rms / max(float(np.sqrt(np.mean(audio**2))), 1e-12))).astype(np.float32)
