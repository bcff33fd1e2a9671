"""Compute real Fourier transforms in single precision.

Older versions of numpy compute its transforms in double precision, which is slower and gives other bytes.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray

Spectrum = npt.NDArray[np.complex64]


def fast_length(n_samples: int) -> int:
    """Return the smallest length not below ``n_samples`` that transforms fast."""
    return int(_fft().next_fast_len(n_samples, real=True))


def forward(samples: AudioArray, size: int) -> Spectrum:
    """Return the spectrum of real samples, padded with zeros to ``size``: shape (size // 2 + 1,)."""
    return np.asarray(_fft().rfft(samples, size))


def inverse(spectrum: Spectrum, size: int) -> AudioArray:
    """Return the ``size`` real samples of a spectrum."""
    return np.asarray(_fft().irfft(spectrum, size), dtype=np.float32)


def frequencies(size: int, rate_hz: int) -> AudioArray:
    """Return the frequency of each bin in Hz, shape (size // 2 + 1,)."""
    return np.arange(size // 2 + 1, dtype=np.float32) * np.float32(rate_hz / size)


def _fft() -> Any:
    # Imported late: scipy.fft takes longer than the rest of the corpus, and listing options needs none of it.
    return importlib.import_module("scipy.fft")
