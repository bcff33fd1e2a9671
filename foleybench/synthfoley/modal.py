"""Synthesise how classes excite materials."""

from __future__ import annotations

import dataclasses

import numpy as np

from foleybench.clips import AudioArray, FloatArray
from foleybench.synthesis.modes import SHORTEST, bank, lay
from foleybench.synthesis.noise import band
from foleybench.synthfoley.contract import Take
from foleybench.synthfoley.materials import MATERIALS, Material


@dataclasses.dataclass(frozen=True, kw_only=True)
class Strike:
    """How a class excites a material.

    Attributes:
        base_hz: Pitch of a middle-sized object of a material with pitch 1.
        length_s: Longest sound of one hit.
        decay: Factor on the material's decay.
        noise: Factor on the material's share of noise.
        noise_s: Time for the noise to fall to 1/e.
        noise_hz: Lower and upper edge of the noise.
        octaves: Pitch range from the largest to the smallest object.
    """

    base_hz: float
    length_s: float = 0.5
    decay: float = 1.0
    noise: float = 1.0
    noise_s: float = 0.008
    noise_hz: tuple[float, float] = (800.0, 7000.0)
    octaves: float = 1.2


def hits(take: Take, strike: Strike, *, material: str = "", pitch: FloatArray | float = 1.0) -> AudioArray:
    """Play every event of a take as a hit of its material: a new random draw of an object of that kind.

    The object (tuning, mode gains, decays) is drawn once a take, and each hit varies around these by its place.

    Args:
        take: The events and the randomness.
        strike: How the material is excited.
        material: Replaces the clip's material.
        pitch: Factor on the pitch, one or one an event.

    Returns:
        Shape (``take.n_samples``,), float32.
    """
    onsets_s, strengths = take.onsets_s(), take.strengths()
    if len(onsets_s) == 0:
        return np.zeros(take.n_samples, dtype=np.float32)
    stuff = MATERIALS[material or str(take.factors["material"])]
    freq_hz, decay_s, gain = _object(take, strike, stuff)
    n_events = len(onsets_s)
    detune = 2.0 ** (take.rng.normal(0.0, 0.02, (n_events, 1)))
    freq_hz = (
        freq_hz[None, :] * detune * np.broadcast_to(np.reshape(np.asarray(pitch, dtype=float), (-1, 1)), (n_events, 1))
    )
    place = 10.0 ** (take.rng.normal(0.0, 3.0, (n_events, len(gain))) / 20.0)
    # A harder hit is not only louder but brighter.
    bright = strengths[:, None] ** (1.0 + 0.15 * np.arange(len(gain)))
    n_samples = max(SHORTEST, int(min(strike.length_s, 6.0 * float(decay_s.max()) + 0.02) * take.rate_hz))
    decays = np.broadcast_to(decay_s, freq_hz.shape)
    pieces = bank(freq_hz, decays, gain * place * bright, n_samples=n_samples, rate_hz=take.rate_hz, rng=take.rng)
    sound = lay(pieces, onsets_s, n_samples=take.n_samples, rate_hz=take.rate_hz)
    return sound + bursts(take, strike, level=stuff.noise * strike.noise)


def bursts(take: Take, strike: Strike, *, level: float) -> AudioArray:
    """Return the noise of every hit, shape (``take.n_samples``,)."""
    n = max(SHORTEST, int(7.0 * strike.noise_s * take.rate_hz))
    pool = band(n + 4096, take.rate_hz, *strike.noise_hz, rng=take.rng)
    windows = np.lib.stride_tricks.sliding_window_view(pool, n)
    starts = take.rng.integers(0, len(windows), len(take.events))
    envelope = np.exp(-np.arange(n) / (strike.noise_s * take.rate_hz)) * np.linspace(1.0, 0.0, n)
    gains = level * take.strengths() * 10.0 ** (take.rng.normal(0.0, 1.5, len(take.events)) / 20.0)
    pieces = (windows[starts] * envelope * gains[:, None]).astype(np.float32)
    return lay(pieces, take.onsets_s(), n_samples=take.n_samples, rate_hz=take.rate_hz)


def _object(take: Take, strike: Strike, stuff: Material) -> tuple[FloatArray, FloatArray, FloatArray]:
    rng = take.rng
    ratios = np.asarray(stuff.ratios) * 2.0 ** rng.normal(0.0, 0.03, len(stuff.ratios))
    tuning = 2.0 ** (rng.normal(0.0, 0.08) + strike.octaves * (0.5 - take.size))
    freq_hz = strike.base_hz * stuff.pitch * tuning * ratios
    decay_s = stuff.decay_s * strike.decay * ratios**-stuff.damping * 2.0 ** rng.normal(0.0, 0.25)
    gain = ratios**-stuff.tilt * 10.0 ** (rng.normal(0.0, 3.0, len(ratios)) / 20.0)
    return freq_hz, decay_s, gain / np.sqrt(np.sum(gain**2))
