"""Measure levels of audio by frame, and shape textures by levels."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, FloatArray

QUIETEST = -4.5
_ACTIVE = 0.15


def log_level(audio: AudioArray, n_frames: int) -> FloatArray:
    """Return the logarithm of the RMS of each frame over the loudest frame, ``QUIETEST`` or more, shape (n_frames,)."""
    edges = np.linspace(0, len(audio), n_frames + 1).round().astype(np.int64)
    power = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    rms = np.sqrt((power[edges[1:]] - power[edges[:-1]]) / np.maximum(1, np.diff(edges)) + 1e-12)
    return np.asarray(np.maximum(np.log(rms / rms.max()), QUIETEST))


def shaped(texture: AudioArray, level: FloatArray, n_samples: int) -> AudioArray:
    """Return audio with a given level, made of another's loud parts.

    Args:
        texture: Audio whose active parts are evened out and repeated.
        level: Log level of each frame wanted, shape (n,).
        n_samples: Length of the result.
    """
    n_frames = max(2, len(texture) // 640)
    own = np.exp(log_level(texture, n_frames))
    here = np.interp(np.arange(len(texture)), (np.arange(n_frames) + 0.5) * len(texture) / n_frames, own)
    active = np.flatnonzero(here > _ACTIVE)
    even = (texture / np.maximum(here, _ACTIVE))[active]
    even = np.tile(even, 1 + n_samples // max(1, len(even)))[:n_samples]
    gain = np.convolve(np.pad(np.exp(level), 2, mode="edge"), [0.25, 0.5, 0.25], "same")[2:-2]
    gain = np.clip((gain - 0.03) / 0.97, 0.0, 1.0)
    middles = (np.arange(len(level)) + 0.5) * n_samples / len(level)
    out = even * np.interp(np.arange(n_samples), middles, gain)
    top = float(np.abs(out).max())
    return np.asarray(out * (np.abs(texture).max() / top if top > 0.0 else 0.0), dtype=np.float32)
