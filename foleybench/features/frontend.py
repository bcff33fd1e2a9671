"""Apply a protocol's front end before an encoder.

The steps, in this order: the file's channels become one, the clip's length is settled (both by the evaluator), the mean
is taken away, the audio is resampled to the encoder's rate, and rounded to 16 bits. Scaling to a peak belongs to the
encoders that do it. How channels are joined concerns generated files, and real audio that has several: shards hold one
unless they were prepared with ``--channels keep``.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.protocol import Frontend
from foleybench.clips import AudioArray
from foleybench.media.resample import resample_as


def apply(frontend: Frontend, audio: AudioArray, from_hz: int, to_hz: int) -> AudioArray:
    """Return the audio that an encoder of rate ``to_hz`` is given.

    Args:
        frontend: The steps.
        audio: Shape (N,), mono, of the clip's length.
        from_hz: Its rate.
        to_hz: The encoder's rate.

    Returns:
        About ``N * to_hz / from_hz`` samples; the caller settles the exact length.

    Example:
        >>> apply(Frontend(remove_mean=True), np.array([0.5, 0.25], dtype=np.float32), 8000, 8000).tolist()
        [0.125, -0.125]
    """
    if frontend.remove_mean and len(audio):
        audio = audio - audio.mean(dtype=np.float64).astype(np.float32)
    audio = resample_as(frontend.resampler, audio, from_hz, to_hz)
    return _rounded(audio) if frontend.int16 else audio


def _rounded(audio: AudioArray) -> AudioArray:
    """Round to 16 bits as libsndfile does: to the nearest of 32 bits, then without the lower 16.

    So a sample is rounded down (FFmpeg and SoX round to the nearest), but one just below zero by less than half a step
    of 32 bits is zero.
    """
    steps = np.clip(np.rint(audio.astype(np.float64) * 2.0**31), -(2.0**31), 2.0**31 - 1.0).astype(np.int64) >> 16
    return (steps / 32768.0).astype(np.float32)
