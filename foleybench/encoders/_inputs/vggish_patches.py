"""Compute VGGish's log-mel patches, bit by bit those of torchvggish."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.api.weights import Weights
from foleybench.clips import FloatArray

RATE_HZ = 16000
WINDOW, HOP, N_FFT = 400, 160, 512
N_BANDS, LOW_HZ, HIGH_HZ = 64, 125.0, 7500.0
PATCH = 96
MIN_SAMPLES = WINDOW + (PATCH - 1) * HOP

WEIGHTS = Weights(
    filename="vggish-10086976.pth",
    url="https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth",
    sha256="10086976",
    size_bytes=288_567_937,
    licence="Apache-2.0",
    n_values=72_141_184,
)


def log_mel_patches(audio: npt.NDArray[Any]) -> FloatArray:
    """Return the patches that are the net's input.

    Args:
        audio: Shape (N,) at 16 kHz.

    Returns:
        Shape (T, 96, 64), float64: ``log(mel + 0.01)`` of magnitudes in 64 HTK mel bands.
    """
    n_frames = 1 + (len(audio) - WINDOW) // HOP if len(audio) >= MIN_SAMPLES else 0
    n_patches = n_frames // PATCH
    if not n_patches:
        return np.zeros((0, PATCH, N_BANDS))
    samples = np.asarray(audio, dtype=np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP][: n_patches * PATCH]
    magnitude = np.abs(np.fft.rfft(frames * _window(), N_FFT))
    return np.log(magnitude @ _bands() + 0.01).reshape(n_patches, PATCH, N_BANDS)


@functools.cache
def _window() -> FloatArray:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi / WINDOW * np.arange(WINDOW)), dtype=np.float64)


@functools.cache
def _bands() -> FloatArray:
    """Triangles of unit peak, straight in mel, shape (257, 64); the constant bin belongs to none."""
    mel = 1127.0 * np.log(1.0 + np.linspace(0.0, RATE_HZ / 2, N_FFT // 2 + 1) / 700.0)
    low, high = 1127.0 * np.log(1.0 + np.array([LOW_HZ, HIGH_HZ]) / 700.0)
    edges = np.linspace(low, high, N_BANDS + 2)
    rising = (mel[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mel[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return np.asarray(weights, dtype=np.float64)
