"""Where the band of a sound ends, and sound cut there."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from foleybench.clips import AudioArray, FloatArray
from foleybench.media.audio import resample

STEP_HZ = 25.0
HIGHEST_HZ = 24000.0
# Band ends are looked for from here up: below lies too little of a sound to say what a system can make.
LOWEST_HZ = 500.0
# Share of the power of a sound that is not missed: -60 dB.
NOTHING = 1e-6
# Shares of the power of the real sound: above the band's end, and where nothing is left.
MISSING, LEFT_OUT = 0.05, 0.01


def spectrum_shares(audio: AudioArray, rate_hz: int) -> FloatArray:
    """Return which share of its power a sound has in each step of 25 Hz up to 24 kHz; all zeros for silence.

    Welch's estimate at the sound's own rate (Hann windows of 40 ms, half overlapping): nothing is resampled, so nothing
    is found above half the rate.

    Args:
        audio: Shape (N,).
        rate_hz: Its rate.

    Returns:
        Shape (961,), of sum 1 or 0.
    """
    from scipy import signal  # three quarters of the start of every scoring process, and only --match-bandwidth is here

    wanted = np.arange(0.0, HIGHEST_HZ + STEP_HZ, STEP_HZ)
    if not np.any(audio):
        return np.zeros(len(wanted))
    window = min(len(audio), round(rate_hz / STEP_HZ))
    hz, power = signal.welch(audio.astype(np.float64), rate_hz, nperseg=window)
    found = np.interp(wanted, hz, power, right=0.0)
    return np.asarray(found / found.sum(), dtype=np.float64)


class BandLimit(NamedTuple):
    """What generated sounds hold of the band of real ones.

    Attributes:
        end_hz: Nothing is left of the real sound from here up.
        gain: Of amplitude, by steps of 25 Hz: 1 below the last tenth of the band, falling, 0 from ``end_hz`` on.
    """

    end_hz: float
    gain: FloatArray


def at_lower_rate(audio: AudioArray, rate_hz: int, other_hz: int) -> tuple[AudioArray, int]:
    """Return real sound (N,) at the rate of generated sound where that is lower, else as it is; and its rate.

    Metrics bring both sounds to rates of their own. Where only the real one is resampled on the way, the slope of that
    filter below half the rate counts as a difference, and following the system's own slope would count it twice.

    Example:
        >>> [at_lower_rate(np.zeros(48000, np.float32), 48000, other_hz)[1] for other_hz in (16000, 96000)]
        [16000, 48000]
    """
    if other_hz >= rate_hz:
        return audio, rate_hz
    return resample(audio, rate_hz, other_hz), other_hz


def band_limit(generated: FloatArray, real: FloatArray, real_at_rate: FloatArray | None = None) -> BandLimit | None:
    """Return how to cut real sound to the band of generated sound.

    The band ends about where the generated sounds hold, from there up, at most 5 % of the power that the real ones hold
    there. From a tenth below on, the real sound is turned down to what the generated ones hold on average, never up
    again, and nothing is left from where that is less than 1 % of the power: so the slope of a system's own filter is
    followed, and the noise that a later coding left above it is not.

    Args:
        generated: Mean of ``spectrum_shares`` over the generated sounds.
        real: The same over the real ones.
        real_at_rate: The same over the real ones ``at_lower_rate``, which the gain is for; None where they are alike.

    Returns:
        The limit, or None when the generated sound has the band of the real one.

    Example:
        >>> falling = np.exp(-np.arange(961) / 100)
        >>> band_limit(np.where(np.arange(961) < 320, falling, 0), falling).end_hz  # nothing from step 320 on
        8025.0
        >>> band_limit(falling, falling) is None
        True
    """
    above_generated, above_real = (np.cumsum(part[::-1])[::-1] for part in (generated, real))
    # Where the real sound has next to nothing, nothing is missing.
    cut = np.flatnonzero((above_generated <= MISSING * above_real) & (above_real > NOTHING))
    cut = cut[cut >= LOWEST_HZ / STEP_HZ]
    if not len(cut):
        return None
    below = real if real_at_rate is None else real_at_rate
    ratio = np.convolve(generated / np.maximum(below, 1e-16), np.full(3, 1 / 3), "same")
    ratio[: math.ceil(0.9 * cut[0])] = 1.0
    falling = np.minimum.accumulate(np.minimum(ratio, 1.0))
    falling[falling < LEFT_OUT] = 0.0
    gone = np.flatnonzero(falling == 0)
    end = int(gone[0]) if len(gone) else len(falling) - 1
    return BandLimit(end * STEP_HZ, np.asarray(np.sqrt(falling), dtype=np.float64))


def band_limited(audio: AudioArray, rate_hz: int, gain: FloatArray) -> AudioArray:
    """Return a sound (N,) with the gain of a ``BandLimit``, in the frequency domain: without a shift in time."""
    if not len(audio):
        return audio
    n = 2 * len(audio)  # zeros behind, so that the end does not come round to the start
    at_bins = np.interp(np.fft.rfftfreq(n, 1 / rate_hz), np.arange(len(gain)) * STEP_HZ, gain)
    spectrum = np.fft.rfft(audio.astype(np.float64), n) * at_bins
    return np.asarray(np.fft.irfft(spectrum, n)[: len(audio)], dtype=np.float32)
