"""librosa's onset detector, without librosa."""

from __future__ import annotations

import functools

import numpy as np

from foleybench.clips import AudioArray, FloatArray, IntArray
from foleybench.encoders._inputs.slaney import slaney_filters
from foleybench.media.audio import require_finite

RATE_HZ = 22050
N_FFT, HOP, N_BANDS = 2048, 512, 128
# 30 ms and 100 ms in frames, as librosa rounds them for this rate and hop.
_BEFORE, _AROUND, _WAIT = 1, 4, 1
_RANGE_DB, _LEAST_POWER = 80.0, 1e-10


def onset_strength(audio: AudioArray) -> FloatArray:
    """Return the mean rise of the mel bands in dB.

    Args:
        audio: Shape (N,) at 22050 Hz.

    Returns:
        Shape (1 + N // 512,); the rise seen by a window counts where the window is centred.
    """
    padded = np.pad(audio.astype(np.float64), N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    power = np.abs(np.fft.rfft(frames * _taper(), axis=1)) ** 2 @ _bands().T
    levels = 10.0 * np.log10(np.maximum(power, _LEAST_POWER))
    levels = np.maximum(levels, levels.max() - _RANGE_DB)
    rise = np.maximum(np.diff(levels, axis=0), 0.0).mean(axis=1)
    shifted = np.concatenate([np.zeros(1 + N_FFT // (2 * HOP)), rise])
    return np.asarray(shifted[: len(levels)], dtype=np.float64)


def detect_as_librosa(audio: AudioArray, delta: float) -> IntArray:
    """Return the onsets of audio as sample positions, increasing.

    Args:
        audio: Shape (N,) at 22050 Hz.
        delta: How far a peak must stand out from its surroundings, as a share of the strongest rise of the clip.
    """
    require_finite(audio)
    if not len(audio):
        return np.zeros(0, dtype=np.int64)
    strength = onset_strength(audio)
    strength = strength - strength.min()
    if not strength.max():
        return np.zeros(0, dtype=np.int64)
    return HOP * _peaks(strength / strength.max(), delta)


def _peaks(strength: FloatArray, delta: float) -> IntArray:
    """Frames that are the largest since 30 ms and stand out by ``delta`` from 100 ms on either side."""
    found = []
    frame = 0
    while frame < len(strength):
        value = strength[frame]
        stands_out = value >= strength[max(0, frame - _AROUND) : frame + _AROUND + 1].mean() + delta
        if stands_out and value == strength[max(0, frame - _BEFORE) : frame + 1].max():
            found.append(frame)
            frame += _WAIT
        frame += 1
    return np.asarray(found, dtype=np.int64)


@functools.cache
def _taper() -> FloatArray:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi / N_FFT * np.arange(N_FFT)), dtype=np.float64)


@functools.cache
def _bands() -> FloatArray:
    return slaney_filters(RATE_HZ, N_FFT, N_BANDS, 0.0, RATE_HZ / 2).astype(np.float64)
