"""Synthesise the sound of rubbing and turning.

Level, brightness and often pitch follow the speed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.clips import AudioArray, Event, FloatArray
from foleybench.synthesis.modes import bank, lay
from foleybench.synthesis.noise import band, wave
from foleybench.synthesis.portable import power
from foleybench.synthfoley.classes import SoundClass
from foleybench.synthfoley.struck import AIR_HZ, PEAK
from foleybench.synthfoley.voices import RUBS, Rub

_RATIOS = np.asarray([1.0, 2.76, 5.40])
_TINE = np.asarray([1.0, 2.3, 3.9])


def rubbed(
    events: Sequence[Event], sound_class: SoundClass, n_samples: int, rate_hz: int, rng: np.random.Generator
) -> AudioArray:
    """Play the strokes of one source, each a new draw of everything but pitch, level curve and distance.

    Returns:
        Shape (n_samples,); every stroke alone peaks at ``PEAK`` times its strength.
    """
    rub = RUBS[sound_class.voice]
    sound = np.zeros(n_samples, dtype=np.float32)
    for event in events:
        start = round(event.time_s * rate_hz)
        room = n_samples - start
        curve = np.asarray(event.factors["curve"], dtype=np.float64)
        n = min(room, round((len(curve) - 1) / event.factors["curve_hz"] * rate_hz))
        if n < 64:
            continue
        speed = np.interp(np.arange(n) / rate_hz * event.factors["curve_hz"], np.arange(len(curve)), curve)
        piece = _WAYS[rub.way](event, rub, speed, rate_hz, rng)
        top = float(np.abs(piece).max())
        if top > 0.0:
            sound[start : start + n] += piece * np.float32(PEAK * event.strength / top)
    return sound


def _noise(event: Event, rub: Rub, speed: FloatArray, rate_hz: int, rng: np.random.Generator) -> AudioArray:
    """Two bands, the upper one when fast; a brush beats as its bristles pass."""
    centre = _centre_hz(event)
    low = band(len(speed), rate_hz, 0.65 * centre, min(1.5 * centre, 0.45 * rate_hz), rng=rng)
    high = band(len(speed), rate_hz, min(2.0 * centre, 0.4 * rate_hz), 0.45 * rate_hz, rng=rng)
    bright = 0.6 * event.factors["noise"] * 2.0 ** -event.factors["tilt"] * _dull(2.5 * centre, event)
    level = power(speed, 0.8)
    if rub.pulses_hz:
        level = level * (0.82 + 0.18 * np.cos(2 * np.pi * rub.pulses_hz * _travel(speed, rate_hz)))
    return np.asarray(level * (low + np.float32(bright) * speed * high), dtype=np.float32)


def _ridges(event: Event, rub: Rub, speed: FloatArray, rate_hz: int, rng: np.random.Generator) -> AudioArray:
    return _pulses(event, rub, speed, rate_hz, rng, ratios=_RATIOS, decay_s=0.010)


def _clicks(event: Event, rub: Rub, speed: FloatArray, rate_hz: int, rng: np.random.Generator) -> AudioArray:
    return _pulses(event, rub, speed, rate_hz, rng, ratios=_TINE, decay_s=0.004)


def _pulses(
    event: Event,
    rub: Rub,
    speed: FloatArray,
    rate_hz: int,
    rng: np.random.Generator,
    *,
    ratios: FloatArray,
    decay_s: float,
) -> AudioArray:
    """One small hit per ridge or spoke, at a rate that follows the speed."""
    passed = rub.pulses_hz * _travel(speed, rate_hz)
    at = np.searchsorted(passed, np.arange(0.5, float(passed[-1])))
    if len(at) == 0:
        return np.zeros(len(speed), dtype=np.float32)
    n = len(at)
    freq_hz = _centre_hz(event) * ratios * power(2.0, rng.normal(0.0, 0.04, (n, len(ratios))))
    ring = min(0.05, decay_s * (0.5 + event.factors["ring"]))
    gain = power(ratios, -(0.6 + event.factors["tilt"])) * power(speed[at, None], 1.2)
    gain = gain * power(10.0, rng.normal(0, 1.5, (n, 1)) / 20) * _dull(freq_hz, event)
    pieces = bank(
        freq_hz, np.full(freq_hz.shape, ring), gain, n_samples=int(5 * ring * rate_hz) + 64, rate_hz=rate_hz, rng=rng
    )
    return lay(pieces, at / rate_hz, n_samples=len(speed), rate_hz=rate_hz)


def _harmonic(event: Event, rub: Rub, speed: FloatArray, rate_hz: int, rng: np.random.Generator) -> AudioArray:
    """A bowed or blown wave; the pitch of a reed on a wheel rises with its speed, that of a string stays."""
    return _voice(
        event, rub, speed, rate_hz, rng, glides=rub.base_hz == RUBS["reed"].base_hz, n_harmonics=16, slope=1.0
    )


def _tone(event: Event, rub: Rub, speed: FloatArray, rate_hz: int, rng: np.random.Generator) -> AudioArray:
    return _voice(event, rub, speed, rate_hz, rng, glides=False, n_harmonics=3, slope=2.0)


def _voice(
    event: Event,
    rub: Rub,
    speed: FloatArray,
    rate_hz: int,
    rng: np.random.Generator,
    *,
    glides: bool,
    n_harmonics: int,
    slope: float,
) -> AudioArray:
    base_hz = event.factors["base_hz"]
    trembling = 1.0 + 0.004 * np.sin(2 * np.pi * (5.5 * np.arange(len(speed)) / rate_hz + rng.uniform()))
    pitch = base_hz * trembling * (0.6 + 0.4 * speed if glides else 1.0)
    harmonics = np.arange(1, n_harmonics + 1)
    heard = harmonics * base_hz * 1.02 < 0.45 * rate_hz
    gains = power(harmonics, -(slope + event.factors["tilt"])) * _dull(harmonics * base_hz, event) * heard
    gains = gains * power(10.0, np.concatenate([[0.0], rng.normal(0.0, 2.0, n_harmonics - 1)]) / 20)
    tone = wave(np.cumsum(pitch) / rate_hz, gains, rng)
    breath = band(len(speed), rate_hz, base_hz, min(4.0 * base_hz, 0.45 * rate_hz), rng=rng)
    level = power(np.minimum(1.0, speed), 0.7)
    share = np.float32(rub.breath * event.factors["noise"])
    return np.asarray(level * (tone + share * breath), dtype=np.float32)


def _centre_hz(event: Event) -> float:
    """Return the band of the noise: higher for materials whose high modes are strong."""
    return float(event.factors["base_hz"] * 2.0 ** (-0.8 * event.factors["tilt"]))


def _travel(speed: FloatArray, rate_hz: int) -> FloatArray:
    """Return the distance covered, in seconds at full speed."""
    return np.asarray(np.cumsum(speed) / rate_hz)


def _dull(freq_hz: FloatArray | float, event: Event) -> FloatArray:
    """Return the attenuation of the air at this distance."""
    return np.asarray(1.0 / np.sqrt(1.0 + (np.asarray(freq_hz) * event.factors["distance_m"] / AIR_HZ) ** 2))


_WAYS = {"noise": _noise, "ridges": _ridges, "clicks": _clicks, "harmonic": _harmonic, "tone": _tone}
