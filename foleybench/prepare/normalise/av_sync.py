"""Estimate from content how far audio and video are apart.

Sudden changes of the picture are laid against sudden rises of the sound. Where one shift of up to a second stands out
from all others, that is the offset; where none does (music, wind, a talking crowd), nothing can be told.

The offset is as fine as the frames: a sound counts from the start of the frame in which it begins, so 1 to 40 ms at 25
fps read as 40 ms, and -13 ms as 0. On average it is half a frame (20 ms) too late. It finds clips that are out of step;
whether they are so within a frame it does not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from foleybench.clips import AudioArray, FloatArray
from foleybench.prepare.normalise.fingerprint import band_powers

MAX_OFFSET_S = 1.0
_FLOOR = 1e-6
_LEAST_CORRELATION = 0.45
_LEAST_PROMINENCE = 6.0
_MOST_RIVAL = 0.6
_LEAST_EVENTS = 3.0
_MASK_FRAMES = 4
_PEAK_S = 0.16
_OVERLAP_S = 2.0


class Offset(NamedTuple):
    """A shift that stands out.

    Attributes:
        offset_s: By how much the picture comes after its sound; negative when it is ahead.
        correlation: Of picture and sound at that shift: the mean over the frames that both have then, by the spread of
            all frames. It passes 1 by a few hundredths where the other frames hold less than their share of changes.
        prominence: Height of the peak over the other shifts, in their standard deviations.
        rival: Height of the next best peak as a share of the best.
        n_events: Effective number of changes that carry the correlation.
    """

    offset_s: float
    correlation: float
    prominence: float
    rival: float
    n_events: float

    @property
    def reliable(self) -> bool:
        """Whether the shift stands out enough to be believed."""
        return (
            self.correlation >= _LEAST_CORRELATION
            and self.prominence >= _LEAST_PROMINENCE
            and self.rival <= _MOST_RIVAL
            and self.n_events >= _LEAST_EVENTS
        )


def best_offset(motion: Sequence[float], fps: float, audio: AudioArray, rate_hz: int) -> Offset | None:
    """Return the shift at which changes of video and audio agree best, or None when one of them never changes.

    Args:
        motion: Change of each frame against the one before, at a constant rate.
        fps: Rate of ``motion``.
        audio: Mono, shape (N,), on the same clock.
        rate_hz: Its rate.
    """
    n_lags = round(MAX_OFFSET_S * fps)
    if len(motion) < n_lags + round(_OVERLAP_S * fps):
        return None
    frame_rises, audio_rises = _picture_rises(motion), _sound_rises(audio, rate_hz, fps, len(motion))
    if frame_rises.std() == 0.0 or audio_rises.std() == 0.0:
        return None
    curve = _correlations(frame_rises, audio_rises, n_lags)
    best = int(np.argmax(curve))
    away = np.abs(np.arange(len(curve)) - best) > _PEAK_S * fps
    spread = float(curve[away].std())
    if curve[best] <= 0.0 or spread == 0.0:
        return None
    prominence = float((curve[best] - curve[away].mean()) / spread)
    shift = best + _vertex(curve, best) - n_lags
    rival = float(curve[away].max() / curve[best])
    n_events = _n_events(_products(frame_rises, audio_rises, best - n_lags))
    return Offset(shift / fps, float(curve[best]), prominence, rival, n_events)


def _picture_rises(motion: Sequence[float]) -> FloatArray:
    levels = np.log1p(np.asarray(motion, dtype=np.float64))
    return _sharp(np.maximum(0.0, np.diff(levels, prepend=levels[:1])))


def _sound_rises(audio: AudioArray, rate_hz: int, fps: float, n_frames: int) -> FloatArray:
    """Return the mean rise of the bands' levels into each frame's time, shape (n_frames,)."""
    hop = rate_hz / fps
    n = int(n_frames * hop)
    window = max(16, round(hop))
    power = band_powers(np.pad(audio[:n], (window, window)), window, rate_hz)
    # Half-overlapping windows: the level while frame k is on screen is that of the window which starts with it.
    at = np.minimum(np.round((np.arange(-1, n_frames) * hop + window) / (window // 2)).astype(int), len(power) - 1)
    top = power.max(initial=0.0)
    if top <= 0.0:
        return np.zeros(n_frames)
    levels = np.log10(np.maximum(power[at] / top, _FLOOR))
    return _sharp(np.maximum(0.0, np.diff(levels, axis=0)).mean(axis=1))


def _sharp(rises: FloatArray) -> FloatArray:
    """Keep what sticks out of its surroundings, none of it more than a few times the usual, at mean zero."""
    top = np.sort(rises)[-max(1, len(rises) // 50)] if len(rises) else 0.0
    kept = np.minimum(np.maximum(0.0, rises - np.median(rises)), top)
    # A change right after another (a flash that ends, a rebound, an echo) belongs to the same event.
    padded = np.concatenate([np.zeros(_MASK_FRAMES), kept])
    before = np.max([padded[k : k + len(kept)] for k in range(_MASK_FRAMES)], axis=0)
    kept = np.maximum(0.0, kept - before)
    centred: FloatArray = kept - kept.mean() if len(kept) else kept
    return centred


def _correlations(frame_rises: FloatArray, audio_rises: FloatArray, n_lags: int) -> FloatArray:
    """Return the correlation at each shift, from the video ``n_lags`` frames ahead to as many behind."""
    scale = float(np.sqrt((frame_rises**2).sum() * (audio_rises**2).sum()))
    products = [_products(frame_rises, audio_rises, lag) for lag in range(-n_lags, n_lags + 1)]
    return np.asarray([float(p.sum()) / scale * len(frame_rises) / len(p) for p in products])


def _products(frame_rises: FloatArray, audio_rises: FloatArray, lag: int) -> FloatArray:
    n = len(frame_rises)
    products: FloatArray = frame_rises[max(0, lag) : n + min(0, lag)] * audio_rises[max(0, -lag) : n - max(0, lag)]
    return products


def _n_events(products: FloatArray) -> float:
    """Return how many terms carry a sum: its square over the sum of squares, of the positive terms."""
    positive = np.maximum(0.0, products)
    return float(positive.sum() ** 2 / max(float((positive**2).sum()), 1e-30))


def _vertex(curve: FloatArray, peak: int) -> float:
    """Return where between its neighbours a peak really is, -0.5 to 0.5 (parabola through three points)."""
    if not 0 < peak < len(curve) - 1:
        return 0.0
    left, middle, right = (float(v) for v in curve[peak - 1 : peak + 2])
    bend = left - 2 * middle + right
    return 0.0 if bend >= 0.0 else max(-0.5, min(0.5, 0.5 * (left - right) / bend))
