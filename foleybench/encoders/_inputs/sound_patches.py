"""Cut audio into patches of a spectrogram, alike at any loudness."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray, IntArray
from foleybench.encoders._inputs.spectra import MelGrid, decibels, mel_power

RATE_HZ = 16000
HOP = 256
FRAMES = 8
# What a patch shows, and what is compared as a waveform: 128 ms.
WINDOW = FRAMES * HOP
GRID = MelGrid(rate_hz=RATE_HZ, window=512, hop=HOP, n_bands=32, low_hz=60.0, high_hz=7800.0)
# A patch counts where its loudest cell is within 30 dB of the loudest of the audio.
_AUDIBLE_DB = 30.0
_FLOOR_DB = 50.0
# A patch of one level everywhere shows nothing.
_LEAST_SPREAD_DB = 1.0


class Patches(NamedTuple):
    """The audible patches of one audio.

    Attributes:
        values: Unit vectors without their mean, shape (n, ``FRAMES`` * bands) float32.
        starts: First sample of each patch's window, shape (n,).
    """

    values: npt.NDArray[np.float32]
    starts: IntArray


def sound_patches(audio: AudioArray, *, every: int = 1) -> Patches:
    """Return the audible patches of audio.

    Args:
        audio: Mono at ``RATE_HZ``, shape (N,).
        every: Frames of ``HOP`` samples from patch to patch.
    """
    levels = decibels(mel_power(audio, GRID), -120.0)
    top = float(levels.max())
    levels = np.maximum(levels, top - _FLOOR_DB)
    if len(levels) < FRAMES or top <= -120.0:
        return Patches(np.zeros((0, FRAMES * GRID.n_bands), dtype=np.float32), np.zeros(0, dtype=np.int64))
    cut = np.lib.stride_tricks.sliding_window_view(levels, FRAMES, axis=0)[::every].reshape(-1, FRAMES * GRID.n_bands)
    shown = np.flatnonzero((cut.max(axis=1) > top - _AUDIBLE_DB) & (cut.std(axis=1) > _LEAST_SPREAD_DB))
    values = cut[shown] - cut[shown].mean(axis=1, keepdims=True)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return Patches(values.astype(np.float32), shown.astype(np.int64) * every * HOP)
