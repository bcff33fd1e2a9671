"""A metronome: it ticks each time the pendulum turns round."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event
from foleybench.synthesis.shapes import box, disc, trapezoid
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import floor, light
from foleybench.synthfoley.modal import Strike, hits
from foleybench.synthfoley.motion import beats
from foleybench.synthfoley.rhythm import onsets

_STRIKE = Strike(base_hz=900.0, length_s=0.3, decay=0.4, noise=0.6, noise_s=0.003, noise_hz=(1500.0, 6000.0))
_SWING = 0.62
_PIVOT_Y = 0.27
_ACCENT_EVERY = 4


def compose(plan: Plan) -> list[Event]:
    """Write even ticks, every fourth one louder."""
    gap_s = 1.0 / plan.rate_hz(1.2, 2.9)
    return onsets(plan, lambda k: gap_s, strength=lambda k: 1.0 if k % _ACCENT_EVERY == 0 else 0.7)


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the body on a table."""
    if not actor.silent:
        floor(canvas, actor.ground, 0.4)
    canvas.paint(
        trapezoid, actor.body, reach=0.46, y=0.04, pattern=actor.material.pattern, top=0.1, bottom=0.23, hh=0.36
    )
    canvas.paint(box, light(actor.body, -0.12), reach=0.22, y=0.32, hw=0.2, hh=0.05)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw the pendulum, at its turning point on each tick; the weight sits lower when the tempo is faster."""
    now = beats(actor.times_s, actor.events)
    angle = _SWING * np.cos(np.pi * now.fraction) * np.where(now.index % 2 == 0, 1.0, -1.0)
    length = 0.68
    tip_x, tip_y = length * np.sin(angle), _PIVOT_Y - length * np.cos(angle)
    canvas.line((0.0, _PIVOT_Y), (tip_x, tip_y), 0.03, actor.accent)
    place = float(np.clip(0.85 - 0.4 * actor.factors["tempo"], 0.3, 0.9))
    weight = 0.05 + 0.02 * actor.size
    canvas.paint(disc, actor.accent, reach=0.1, x=place * tip_x, y=_PIVOT_Y + place * (tip_y - _PIVOT_Y), r=weight)
    if not actor.silent:
        lamp = np.asarray([1.0, 0.85, 0.3], dtype=np.float32)
        canvas.paint(disc, lamp, reach=0.1, y=_PIVOT_Y + 0.01, alpha=np.minimum(1.0, 1.3 * now.flash(0.06)), r=0.085)


def sound(take: Take) -> AudioArray:
    """Play dry ticks, the two sides tuned slightly apart."""
    sides = np.arange(len(take.events), dtype=np.float64) % 2
    return hits(take, _STRIKE, pitch=1.0 + 0.06 * sides)


CLASS = SoundClass(
    family="periodic",
    kind="onset",
    description="A metronome ticks at the turning points of its pendulum.",
    materials=("wood", "metal", "plastic", "glass"),
    heldout_material="metal",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
)
