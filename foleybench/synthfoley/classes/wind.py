"""Gusts of wind: stalks bend and bits fly."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event, FloatArray
from foleybench.synthesis.noise import band
from foleybench.synthesis.shapes import ellipse
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import floor
from foleybench.synthfoley.motion import curve_at, travelled
from foleybench.synthfoley.rhythm import smooth, spans

_STALKS = 6
_ROOT_Y = 0.36
_RUSTLE = {"leaf": (2500.0, 6500.0), "cloth": (300.0, 1200.0), "wood": (700.0, 1800.0), "plastic": (1500.0, 4000.0)}


def compose(plan: Plan) -> list[Event]:
    """Write gusts with a smooth strength."""
    rate_hz = plan.rate_hz(0.9, 1.8)

    def curve(times_s: FloatArray, name: str) -> FloatArray:
        return smooth(plan, times_s, name, rate_hz=rate_hz, low=0.15, high=1.0)

    return spans(plan, curve=curve, pause=0.4, ramp_s=0.3)


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the ground."""
    floor(canvas, actor.ground, _ROOT_Y)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw stalks with heads that bend with the gust, and flying bits."""
    gust = curve_at(actor.events, actor.times_s)
    rng = actor.dice.generator("stalks")
    for k, x in enumerate(np.linspace(-0.42, 0.36, _STALKS)):
        length = 0.38 + 0.2 * rng.uniform() + 0.1 * actor.size
        flutter = 0.10 * gust * np.sin(2 * np.pi * rng.uniform(2.0, 4.0) * actor.times_s + 6.0 * rng.uniform())
        bend = 0.08 * rng.uniform(-1.0, 1.0) + 1.0 * gust * rng.uniform(0.8, 1.1) + flutter
        tip_x, tip_y = x + length * np.sin(bend), _ROOT_Y - length * np.cos(bend)
        canvas.line((float(x), _ROOT_Y), (tip_x, tip_y), 0.03, actor.accent)
        head = actor.body if k % 2 == 0 else actor.accent
        canvas.paint(ellipse, head, reach=0.1, x=tip_x, y=tip_y, angle=bend, rx=0.045, ry=0.085)
    _bits(canvas, actor)


def sound(take: Take) -> AudioArray:
    """Play a low howl that opens up with the gust, and a rustle of the stalks."""
    times_s = np.arange(take.n_samples) / take.rate_hz
    gust = np.minimum(curve_at(take.events, times_s), 1.3).astype(np.float32)
    shift = 2.0 ** (take.rng.normal(0.0, 0.2) - 0.5 * (take.size - 0.5))
    low = band(take.n_samples, take.rate_hz, 90.0 * shift, 260.0 * shift, rng=take.rng)
    mid = band(take.n_samples, take.rate_hz, 380.0 * shift, 700.0 * shift, rng=take.rng)
    rustle = band(take.n_samples, take.rate_hz, *_RUSTLE[str(take.factors["material"])], rng=take.rng)
    share = np.float32(take.rng.uniform(0.12, 0.25))
    return np.asarray(gust * low + np.float32(0.8) * gust**2 * mid + share * gust**1.5 * rustle, dtype=np.float32)


def _bits(canvas: Canvas, actor: Actor) -> None:
    rng = actor.dice.generator("bits")
    n = 14
    speed = 1.1 * travelled(actor.events, actor.times_s)[:, None] * rng.uniform(0.7, 1.3, n)[None, :]
    place = (rng.uniform(0.0, 1.6, n)[None, :] + speed) % 1.6 - 0.8
    height = rng.uniform(-0.55, 0.3, n)[None, :] + 0.03 * np.sin(9.0 * place)
    blowing = curve_at(actor.events, actor.times_s)
    frame, bit = np.nonzero(blowing[:, None] > rng.uniform(0.05, 0.7, n)[None, :])
    canvas.sprinkle(
        frame,
        place[frame, bit].astype(np.float32),
        height[frame, bit].astype(np.float32),
        (0.024, 0.012),
        actor.body,
        0.9,
    )


CLASS = SoundClass(
    family="continuous",
    kind="span",
    description="Stalks bend in gusts of wind.",
    materials=("leaf", "cloth", "wood", "plastic"),
    heldout_material="plastic",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
    lookalike="none",
)
