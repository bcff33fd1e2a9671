"""Make librosa's mel filters: Slaney's scale, equal area."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foleybench.clips import FloatArray

# Below 1 kHz the scale is straight, above it is logarithmic.
_HZ_PER_MEL = 200.0 / 3.0
_CORNER_HZ = 1000.0
_STEP = np.log(6.4) / 27.0


def _hz_of_mel(mel: FloatArray) -> FloatArray:
    corner = _CORNER_HZ / _HZ_PER_MEL
    above = _CORNER_HZ * np.exp(_STEP * (np.maximum(mel, corner) - corner))
    return np.asarray(np.where(mel < corner, mel * _HZ_PER_MEL, above))


def _mel_of_hz(hz: float) -> float:
    if hz < _CORNER_HZ:
        return hz / _HZ_PER_MEL
    return float(_CORNER_HZ / _HZ_PER_MEL + np.log(hz / _CORNER_HZ) / _STEP)


def slaney_filters(rate_hz: int, n_fft: int, n_bands: int, low_hz: float, high_hz: float) -> npt.NDArray[np.float32]:
    """Return filters of shape (n_bands, n_fft // 2 + 1), equal to ``librosa.filters.mel`` within float32.

    Args:
        rate_hz: Sample rate.
        n_fft: Length of the FFT.
        n_bands: Number of bands.
        low_hz: Lower edge of the lowest band.
        high_hz: Upper edge of the highest band.
    """
    edges = _hz_of_mel(np.linspace(_mel_of_hz(low_hz), _mel_of_hz(high_hz), n_bands + 2))
    hz = np.linspace(0.0, rate_hz / 2, n_fft // 2 + 1)
    rising = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * area[:, None], dtype=np.float32)
