"""Modal synthesis: banks of decaying sinusoids.

A decaying sinusoid is the real part of ``g * z**n``; with n = 128 a + b it is ``(g * z**(128 a)) * z**b``, so a bank of
K modes over N samples is one product of an (N / 128, 2K) by a (2K, 128) matrix instead of N K exponentials.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray, FloatArray
from foleybench.synthfoley.contract import Take
from foleybench.synthfoley.materials import MATERIALS, Material
from foleybench.synthfoley.noise import band

_BLOCK = 128
_FADE = 64


def bank(
    freq_hz: npt.NDArray[np.float64],
    decay_s: npt.NDArray[np.float64],
    gain: npt.NDArray[np.float64],
    *,
    n_samples: int,
    rate_hz: int,
    rng: np.random.Generator,
) -> AudioArray:
    """Return sums of decaying sinusoids with random phases.

    Args:
        freq_hz: Frequencies, shape (E, K): E sounds of K modes. Modes above 0.45 of the rate are left out.
        decay_s: Time to fall to 1/e, same shape.
        gain: Amplitudes, same shape.
        n_samples: Length of each sound.
        rate_hz: Sample rate.
        rng: Draws the phases.

    Returns:
        Shape (E, n_samples), float32, faded at the end.
    """
    heard = np.where(freq_hz < 0.45 * rate_hz, gain, 0.0)
    phase = rng.uniform(0.0, 2 * np.pi, freq_hz.shape)
    step = (-1.0 / (decay_s * rate_hz) + 2j * np.pi * freq_hz / rate_hz)[:, :, None]
    n_blocks = -(-n_samples // _BLOCK)
    # Reduced to float32 only after the phase is wrapped, or late blocks would drift.
    exact = np.exp(step * (np.arange(n_blocks) * _BLOCK) + 1j * phase[:, :, None]) * heard[:, :, None]
    inner = np.exp(step * np.arange(_BLOCK)).astype(np.complex64)
    blocks = exact.astype(np.complex64).transpose(0, 2, 1)
    left = np.concatenate([blocks.real, -blocks.imag], axis=2)
    right = np.concatenate([inner.real, inner.imag], axis=1)
    out = np.matmul(left, right).reshape(len(freq_hz), -1)[:, :n_samples]
    fade = min(_FADE, n_samples)
    out[:, n_samples - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return np.ascontiguousarray(out, dtype=np.float32)


def lay(pieces: AudioArray, onsets_s: FloatArray, *, n_samples: int, rate_hz: int) -> AudioArray:
    """Add sounds up, each from its onset (rounded to the nearest sample), and cut at the end.

    Args:
        pieces: Shape (E, n).
        onsets_s: Shape (E,).
        n_samples: Length of the result.
        rate_hz: Sample rate.
    """
    out = np.zeros(n_samples, dtype=np.float32)
    for piece, start in zip(pieces, np.round(onsets_s * rate_hz).astype(np.int64).tolist(), strict=True):
        room = n_samples - start
        if room > 0:
            out[start : start + len(piece)] += piece[:room]
    return out


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

    The object (tuning, mode gains, decays) is drawn once a take, and each hit varies around it (where it is hit).

    Args:
        take: The events and the randomness.
        strike: How it is excited.
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
    n_samples = max(_FADE, int(min(strike.length_s, 6.0 * float(decay_s.max()) + 0.02) * take.rate_hz))
    decays = np.broadcast_to(decay_s, freq_hz.shape)
    pieces = bank(freq_hz, decays, gain * place * bright, n_samples=n_samples, rate_hz=take.rate_hz, rng=take.rng)
    sound = lay(pieces, onsets_s, n_samples=take.n_samples, rate_hz=take.rate_hz)
    return sound + bursts(take, strike, level=stuff.noise * strike.noise)


def bursts(take: Take, strike: Strike, *, level: float) -> AudioArray:
    """Return the noise of every hit, shape (``take.n_samples``,)."""
    n = max(_FADE, int(7.0 * strike.noise_s * take.rate_hz))
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
