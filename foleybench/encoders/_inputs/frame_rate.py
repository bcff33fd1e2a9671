"""Choose a clip's frames for another frame rate."""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import Signal
from foleybench.clips import Clock, FloatArray, FrameArray
from foleybench.errors import FoleyError

# The rule is strict: a frame that starts exactly half way belongs to the next.
_STRICTLY_S = 1e-6


def frames_of(signal: Signal) -> tuple[FrameArray, FloatArray]:
    """Return a clip's frames (T, H, W, 3) and their times in seconds (T,), T >= 1.

    Raises:
        FoleyError: The clip has no frames.
    """
    if signal.frames is None or signal.frame_times_s is None or not len(signal.frames):
        raise FoleyError(f"a clip of {signal.duration_s} s has no frames to encode; prepare the data with its video.")
    return signal.frames, signal.frame_times_s


def frames_at(signal: Signal, rate_hz: float, most: int | None = None) -> FrameArray:
    """Return the frames of a clip at a constant rate, by the rule of ffmpeg's ``fps`` filter (to the nearest).

    Frame k is the last one that starts before ``(k + 0.5) / rate``, as ``-filter:v fps=RATE`` of ffmpeg chooses and
    both Diff-Foley and av-benchmark have it; a video that has the rate already is left as it is.

    Args:
        signal: The clip, with its frames (T, H, W, 3) and their times.
        rate_hz: Wanted frames per second.
        most: Largest number of frames, from the start.

    Returns:
        Shape (n, H, W, 3) uint8 with n = round(duration * rate), at least 1 and at most ``most``.

    Raises:
        FoleyError: The clip has no frames.
    """
    frames, times_s = frames_of(signal)
    n = max(1, round(signal.duration_s * rate_hz))
    return frames[chosen(times_s, rate_hz, n if most is None else min(n, most))]


def chosen(frame_times_s: FloatArray, rate_hz: float, n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the indices of the frames that stand for a video at another rate.

    Args:
        frame_times_s: Timestamps of the frames, increasing, shape (T,).
        rate_hz: Wanted frames per second.
        n: How many.

    Returns:
        Shape (n,).

    Example:
        >>> chosen(np.arange(10) / 10, 4.0, 4).tolist()
        [1, 3, 6, 8]
    """
    wanted = (np.arange(n, dtype=np.float64) + 0.5) / rate_hz - _STRICTLY_S
    return np.asarray(Clock.nearest(frame_times_s, wanted))
