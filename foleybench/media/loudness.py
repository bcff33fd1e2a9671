"""Levels for listening: one gain that brings a sound to a loudness, held below a peak. Scoring never uses it.

Sources: EBU R 128 (2023) for -23 LUFS and -1 dBTP; Recommendation ITU-R BS.1770-4, Annex 2 for true peaks (four times
oversampled; here with SciPy's polyphase filter in place of the annex's, which is an example there).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from foleybench.clips import AudioArray
from foleybench.media.audio import resample

TARGET_LUFS = -23.0
PEAK_DBTP = -1.0
_OVERSAMPLING = 4


class Levelled(NamedTuple):
    """A sound after its gain.

    Attributes:
        audio: Shape (N,).
        gain_db: What was applied; 0 for silence, which is left as it is.
        lufs: Its loudness now.
        held_back: Whether the peak limit allowed less gain than the target asks for.
    """

    audio: AudioArray
    gain_db: float
    lufs: float
    held_back: bool


def to_loudness(audio: AudioArray, rate_hz: int, target_lufs: float = TARGET_LUFS) -> Levelled:
    """Bring a sound to a loudness by one gain; its dynamics stay, so a few sharp hits may end below the target.

    Args:
        audio: Mono, shape (N,).
        rate_hz: Its rate.
        target_lufs: Wanted integrated loudness (ITU-R BS.1770-4).

    Returns:
        The sound, and what was done.
    """
    from foleybench.encoders.loudness import GATE_LUFS, integrated_lufs

    before = integrated_lufs(resample(audio, rate_hz, 48000)) if len(audio) else GATE_LUFS
    if before <= GATE_LUFS:
        return Levelled(audio, 0.0, before, held_back=False)
    allowed_db = PEAK_DBTP - 20.0 * float(np.log10(true_peak(audio)))
    gain_db = min(target_lufs - before, allowed_db)
    louder = np.asarray(audio * np.float32(10.0 ** (gain_db / 20.0)), dtype=np.float32)
    return Levelled(louder, gain_db, before + gain_db, held_back=allowed_db < target_lufs - before)


def below_peak(audio: AudioArray) -> AudioArray:
    """Turn a sound of shape (channels, N) down as a whole when its true peak is above -1 dBTP."""
    peak = max(true_peak(channel) for channel in audio)
    limit = 10.0 ** (PEAK_DBTP / 20.0)
    return audio if peak <= limit else np.asarray(audio * np.float32(limit / peak), dtype=np.float32)


def true_peak(audio: AudioArray) -> float:
    """Return the largest magnitude of the sound between its samples too, four times oversampled.

    Example:
        >>> sine = np.sin(np.pi / 2 * np.arange(1000) + np.pi / 4).astype(np.float32)
        >>> round(float(abs(sine).max()), 2), round(true_peak(sine), 1)
        (0.71, 1.0)
    """
    from scipy.signal import resample_poly

    if not len(audio):
        return 0.0
    between = resample_poly(audio.astype(np.float64), _OVERSAMPLING, 1)
    return float(max(np.abs(between).max(), np.abs(audio).max()))
