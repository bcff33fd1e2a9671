"""Measure loudness (BS.1770-4), and bring audio to a loudness.

One gain brings audio to the target, held below a true-peak limit. The gain is for listening; scoring never uses it.

Sources: Recommendation ITU-R BS.1770-4 (10/2015), Annex 1, tables 1 and 2 for loudness; EBU R 128 (2023) for -23 LUFS
and -1 dBTP; Annex 2 for true peaks (four times
oversampled; here with SciPy's polyphase filter in place of the annex's, which is an example there).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from foleybench.clips import AudioArray, FloatArray
from foleybench.media.audio import require_finite, resample

RATE_HZ = 48000
BLOCK, STEP = RATE_HZ * 4 // 10, RATE_HZ // 10
GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
_OFFSET_LU = -0.691

# Numerator and denominator: the head's high shelf, then the high pass.
SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)
HIGH_PASS = (1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)


TARGET_LUFS = -23.0
PEAK_DBTP = -1.0
_OVERSAMPLING = 4


class Levelled(NamedTuple):
    """Audio after its gain.

    Attributes:
        audio: Shape (N,).
        gain_db: The gain that was applied; 0 for silence, which is left as it is.
        lufs: Loudness after the gain.
        held_back: Whether the peak limit allowed less gain than the target asks for.
    """

    audio: AudioArray
    gain_db: float
    lufs: float
    held_back: bool


def to_loudness(audio: AudioArray, rate_hz: int, target_lufs: float = TARGET_LUFS) -> Levelled:
    """Bring audio to a loudness by one gain; its dynamics stay, so a few sharp hits may end below the target.

    Args:
        audio: Mono, shape (N,).
        rate_hz: Its rate.
        target_lufs: Wanted integrated loudness (ITU-R BS.1770-4).

    Returns:
        The audio after the gain, with the gain.
    """
    before = integrated_lufs(resample(audio, rate_hz, 48000)) if len(audio) else GATE_LUFS
    if before <= GATE_LUFS:
        return Levelled(audio, 0.0, before, held_back=False)
    allowed_db = PEAK_DBTP - 20.0 * float(np.log10(true_peak(audio)))
    gain_db = min(target_lufs - before, allowed_db)
    louder = np.asarray(audio * np.float32(10.0 ** (gain_db / 20.0)), dtype=np.float32)
    return Levelled(louder, gain_db, before + gain_db, held_back=allowed_db < target_lufs - before)


def below_peak(audio: AudioArray) -> AudioArray:
    """Turn audio of shape (channels, N) down as a whole when its true peak is above -1 dBTP."""
    peak = max(true_peak(channel) for channel in audio)
    limit = 10.0 ** (PEAK_DBTP / 20.0)
    return audio if peak <= limit else np.asarray(audio * np.float32(limit / peak), dtype=np.float32)


def true_peak(audio: AudioArray) -> float:
    """Return the largest magnitude of the audio between its samples too, four times oversampled.

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


def integrated_lufs(audio: AudioArray) -> float:
    """Return the gated loudness of mono audio.

    Args:
        audio: Shape (N,) at 48 kHz.

    Returns:
        LUFS, at least -70.

    Raises:
        FoleyError: The audio holds a sample that is not finite.

    Example:
        >>> sine = np.sin(2 * np.pi * 997 * np.arange(48000) / 48000)
        >>> round(integrated_lufs(sine.astype(np.float32)), 2)
        -3.01
    """
    power = _block_power(audio)
    loud = power[_lufs(power) > GATE_LUFS]
    if not len(loud):
        return GATE_LUFS
    # Never empty: the loudest block is not below the mean.
    kept = loud[_lufs(loud) > _lufs(loud.mean()) + RELATIVE_GATE_LU]
    return float(_lufs(kept.mean()))


def _block_power(audio: AudioArray) -> FloatArray:
    """Mean square of the weighted audio in each whole block; of shorter audio, in all of it."""
    from scipy.signal import lfilter

    require_finite(audio)
    if not len(audio):
        return np.zeros(1)
    shelved = lfilter(*SHELF, audio.astype(np.float64))
    weighted = np.asarray(lfilter(*HIGH_PASS, shelved), dtype=np.float64)
    block = min(BLOCK, len(audio))
    total = np.concatenate([[0.0], np.cumsum(weighted**2)])
    first = np.arange(0, len(audio) - block + 1, STEP)
    return np.asarray(np.maximum(total[first + block] - total[first], 0.0) / block, dtype=np.float64)


def _lufs(power: FloatArray | np.float64) -> FloatArray:
    return np.asarray(_OFFSET_LU + 10.0 * np.log10(np.maximum(power, 1e-30)), dtype=np.float64)
