"""Synthesise the sound of contacts: decaying modes and noise bursts.

Each hit is exactly as strong as its event states.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.clips import AudioArray, Event, FloatArray
from foleybench.synthesis.modes import bank, lay
from foleybench.synthesis.noise import band
from foleybench.synthesis.portable import exponential, power
from foleybench.synthfoley.classes import SoundClass
from foleybench.synthfoley.voices import BODIES, STRIKES

PEAK = 0.6
AIR_HZ = 90000.0
_LONGEST_S = 1.6
_POOL = 4096


def struck(
    events: Sequence[Event], sound_class: SoundClass, n_samples: int, rate_hz: int, rng: np.random.Generator
) -> AudioArray:
    """Play the contacts of one source.

    The event list fixes pitch, decay, tilt, share of noise, distance and strength; gains and phases of modes, their
    slight detuning and the noise are a new draw.

    Returns:
        Shape (n_samples,); every contact alone peaks at ``PEAK`` times its strength.
    """
    body, strike = BODIES[sound_class.voice], STRIKES[sound_class.mechanism]
    ratios = np.asarray(body.ratios)
    detuned = ratios * np.concatenate([[1.0], power(2.0, rng.normal(0.0, 0.02, len(ratios) - 1))])
    base_hz, decay_s, tilt, noise, impact, distance_m = (
        _column(events, name) for name in ("base_hz", "decay_s", "tilt", "noise", "impact", "distance_m")
    )
    freq_hz = base_hz[:, None] * detuned
    decays = decay_s[:, None] * power(ratios, -body.slope) * power(2.0, rng.normal(0.0, 0.08, freq_hz.shape))
    # A harder hit is not only louder but brighter, a farther one duller.
    slopes = -(tilt[:, None] + 0.8 * (1.0 - impact[:, None]))
    gain = power(ratios, slopes) * power(10.0, rng.normal(0.0, 2.0, freq_hz.shape) / 20)
    gain = gain / np.sqrt(1.0 + (freq_hz * distance_m[:, None] / AIR_HZ) ** 2)
    gain /= np.sqrt((gain**2).sum(axis=1, keepdims=True))
    length = max(128, int(min(_LONGEST_S, 5.0 * float(decays.max()) + 0.02) * rate_hz))
    pieces = bank(freq_hz, decays, gain, n_samples=length, rate_hz=rate_hz, rng=rng)
    burst = _bursts(events, noise, distance_m, strike.noise_s, strike.noise_hz, rate_hz, rng)
    shared = min(length, burst.shape[1])
    pieces[:, :shared] += burst[:, :shared]
    top = np.abs(pieces).max(axis=1, keepdims=True)
    strengths = np.asarray([event.strength for event in events])[:, None]
    pieces *= (PEAK * strengths / np.maximum(top, 1e-9)).astype(np.float32)
    onsets_s = np.asarray([event.time_s for event in events])
    return lay(pieces, onsets_s, n_samples=n_samples, rate_hz=rate_hz)


def _bursts(
    events: Sequence[Event],
    noise: FloatArray,
    distance_m: FloatArray,
    fade_s: float,
    edges_hz: tuple[float, float],
    rate_hz: int,
    rng: np.random.Generator,
) -> AudioArray:
    n = max(64, int(6.0 * fade_s * rate_hz))
    low_hz, high_hz = edges_hz
    pool = band(n + _POOL, rate_hz, low_hz, min(high_hz, 0.45 * rate_hz), rng=rng)
    starts = rng.integers(0, _POOL, len(events))
    windows = np.lib.stride_tricks.sliding_window_view(pool, n)[starts]
    envelope = exponential(-np.arange(n) / (fade_s * rate_hz)) * np.linspace(1.0, 0.0, n)
    dull = 1.0 / np.sqrt(1.0 + (np.sqrt(low_hz * high_hz) * distance_m / AIR_HZ) ** 2)
    return np.asarray(windows * envelope * (0.5 * noise * dull)[:, None], dtype=np.float32)


def _column(events: Sequence[Event], name: str) -> FloatArray:
    return np.asarray([event.factors[name] for event in events], dtype=np.float64)
