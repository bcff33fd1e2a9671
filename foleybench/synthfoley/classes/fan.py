"""A fan whose motor speeds up and slows down."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event, FloatArray
from foleybench.synthesis.noise import band, wave
from foleybench.synthesis.shapes import blades, box, disc, ring
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import light
from foleybench.synthfoley.motion import curve_at, travelled
from foleybench.synthfoley.rhythm import smooth, spans

# Below half a blade per frame at 25 fps; a faster rotor would seem to turn backwards.
_TURNS_PER_S = 2.6
_BLADES = 3.0
_HARMONICS = {"metal": 0.75, "plastic": 0.5, "wood": 0.35, "brass": 0.65}


def compose(plan: Plan) -> list[Event]:
    """Write spans of running with a smooth speed."""
    base = min(1.3, 0.35 + 0.45 * plan.factors["tempo"])

    def curve(times_s: FloatArray, name: str) -> FloatArray:
        return smooth(plan, times_s, name, rate_hz=0.9, low=max(0.15, base - 0.25), high=base + 0.3)

    return spans(plan, curve=curve, ramp_s=0.4)


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the stand."""
    canvas.paint(box, light(actor.ground, -0.1), reach=0.5, y=0.3, hw=0.035, hh=0.2)
    canvas.paint(box, light(actor.ground, -0.1), reach=0.2, y=0.46, hw=0.17, hh=0.03)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw the cage and the rotor; the look-alike stands still or is turned by hand, its lamp dark."""
    radius = 0.28 + 0.06 * actor.size
    speed = curve_at(actor.events, actor.times_s)
    turn = 2 * np.pi * _TURNS_PER_S * travelled(actor.events, actor.times_s) * (0.12 if actor.silent else 1.0)
    canvas.paint(disc, light(actor.ground, -0.04), reach=radius + 0.05, y=-0.05, r=radius + 0.03)
    canvas.paint(
        blades, actor.body, reach=radius, y=-0.05, pattern=None, r=radius, number=_BLADES, turn=turn, width=0.42
    )
    canvas.paint(ring, actor.accent, reach=radius + 0.06, y=-0.05, r=radius + 0.03, width=0.03)
    canvas.paint(disc, actor.accent, reach=0.07, y=-0.05, r=0.055)
    if not actor.silent:
        lamp = np.asarray([0.35, 0.95, 0.4], dtype=np.float32)
        canvas.paint(disc, lamp, reach=0.06, y=0.42, alpha=np.minimum(1.0, 4.0 * speed), r=0.04)


def sound(take: Take) -> AudioArray:
    """Play a hum whose pitch is the speed's, and air noise that grows with its square."""
    times_s = np.arange(take.n_samples) / take.rate_hz
    speed = curve_at(take.events, times_s)
    base_hz = 330.0 * 2.0 ** (take.rng.normal(0.0, 0.1) - 0.8 * (take.size - 0.5))
    wobble = 1.0 + 0.01 * np.sin(2 * np.pi * take.rng.uniform(4.0, 9.0) * times_s)
    phase = np.cumsum(base_hz * (0.25 + speed) * wobble) / take.rate_hz
    bright = _HARMONICS.get(str(take.factors["material"]), 0.6)
    gains = bright ** np.arange(12) * 10.0 ** (take.rng.normal(0.0, 4.0, 12) / 20.0)
    hum = wave(phase, gains / np.sqrt(np.sum(gains**2)), take.rng)
    air = band(take.n_samples, take.rate_hz, 200.0, 2500.0, rng=take.rng) * np.float32(take.rng.uniform(0.06, 0.16))
    on = np.clip(speed / 0.3, 0.0, 1.0)
    return np.asarray(on * (speed**0.7 * hum + speed**2 * air), dtype=np.float32)


CLASS = SoundClass(
    family="continuous",
    kind="span",
    description="A fan runs at a changing speed; pitch and level follow.",
    materials=("metal", "plastic", "wood", "brass"),
    heldout_material="brass",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
)
