"""Resample by windowed sinc without a table of filters.

This serves rates with hardly a common divisor.

A table holds a filter for each of ``new`` output phases, ``old`` samples wide: 44101 Hz to 48000 Hz would take 17 GB,
and a header decides it. Here each output sample has its own few taps, computed on the spot: the same filter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from foleybench.clips import AudioArray, FloatArray, IntArray

# A table of more entries than this (32 MB while it is made) is not made.
MAX_TABLE = 4_000_000
_BLOCK = 2048
# What torchaudio's tables hold as float32, and so move taps: nothing, output times, or all distances.
Rounding = Literal["none", "phases", "distances"]


def resample_directly(
    audio: AudioArray,
    old: int,
    new: int,
    *,
    cutoff: float,
    reach: int,
    kernel: Callable[[FloatArray], FloatArray],
    n: int,
    rounding: Rounding = "none",
    hold_ends: bool = False,
    unit_sum: bool = False,
) -> AudioArray:
    """Return ``n`` output samples.

    Args:
        audio: Shape (N,) float32.
        old: Rate of ``audio``, divided by the greatest common divisor with ``new``.
        new: Wanted rate, divided likewise.
        cutoff: Cut-off in the unit of ``old`` and ``new``.
        reach: Taps to either side.
        kernel: From distances in zero crossings to the filter's values; zero beyond its own reach.
        n: How many samples to make.
        rounding: What is rounded to float32, as in torchaudio's table: phases move taps by a millionth, distances at
            rates with hardly a common divisor by a thousandth.
        hold_ends: Whether the audio's first and last sample go on outside it, in place of silence.
        unit_sum: Whether the taps of each output sample are brought to a sum of 1, in place of ``cutoff / old``.
    """
    padded = np.pad(audio.astype(np.float64), reach + 1, mode="edge" if hold_ends and len(audio) else "constant")
    taps = np.arange(-reach, reach + 2)
    found = np.zeros(n, dtype=np.float32)
    for start in range(0, n, _BLOCK):
        at = np.arange(start, min(n, start + _BLOCK), dtype=np.int64)
        index = (at * old // new)[:, None] + taps
        values = kernel(_crossings(at, index, old, new, cutoff, rounding))
        values *= 1.0 / values.sum(axis=1, keepdims=True) if unit_sum else cutoff / old
        inside = np.clip(index + reach + 1, 0, len(padded) - 1)
        found[start : start + len(at)] = (values * padded[inside]).sum(axis=1)
    return found


def _crossings(at: IntArray, index: IntArray, old: int, new: int, cutoff: float, rounding: Rounding) -> FloatArray:
    """Return how far inputs (n, taps) lie from outputs (n,), in zero crossings; exact for late ones too."""
    turn, phase = np.divmod(at, new)
    inside = index - (turn * old)[:, None]
    if rounding == "distances":
        distances = inside.astype(np.float32) / np.float32(old) - (phase.astype(np.float32) / np.float32(new))[:, None]
        return np.asarray(distances * np.float32(cutoff), dtype=np.float64)
    phases = phase.astype(np.float32) / np.float32(new) if rounding == "phases" else phase / new
    return np.asarray((inside / old - phases.astype(np.float64)[:, None]) * cutoff, dtype=np.float64)
