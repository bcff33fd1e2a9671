"""A stick that strikes pads of different pitch."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event
from foleybench.synthesis.shapes import box, disc, ellipse
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import light
from foleybench.synthfoley.modal import Strike, hits
from foleybench.synthfoley.motion import beats
from foleybench.synthfoley.rhythm import accents, onsets

_STRIKE = Strike(base_hz=330.0, length_s=1.4, decay=1.6, noise=0.5, noise_s=0.01, noise_hz=(1000.0, 6000.0))
_PADS_X = (-0.28, 0.0, 0.28)
_PAD_Y = 0.2
_PITCH = 1.5


def compose(plan: Plan) -> list[Event]:
    """Write hits with uneven gaps, each on one of three pads."""
    gap_s = 1.0 / plan.rate_hz(1.5, 3.2)
    return onsets(
        plan,
        lambda k: max(0.14, gap_s * plan.dice.choice(f"beat {k}", (0.6, 1.0, 1.0, 1.6))),
        strength=accents(plan),
        factors=lambda k: {"pad": plan.dice.choice(f"pad {k}", (0, 1, 2))},
    )


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the pads on their stands."""
    for x in _PADS_X:
        canvas.paint(box, light(actor.ground, -0.1), reach=0.2, x=x, y=_PAD_Y + 0.16, hw=0.015, hh=0.14)
        canvas.paint(ellipse, actor.body, reach=0.14, x=x, y=_PAD_Y, pattern=actor.material.pattern, rx=0.125, ry=0.055)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw the stick: it moves over the next pad, comes down and rebounds; a struck pad lights up."""
    now = beats(actor.times_s, actor.events)
    pads = [event.factors.get("pad", 1) for event in actor.events]
    places = np.asarray([_PADS_X[pad] for pad in [pads[0], *pads, pads[-1]]])
    move = np.clip(now.since_s / np.minimum(0.2, 0.6 * now.gap_s), 0.0, 1.0)
    x = places[now.index] + (places[now.index + 1] - places[now.index]) * move * move * (3.0 - 2.0 * move)
    lift = now.lift(0.12, 0.12) * (0.2 + 0.12 * now.strength_next)
    rest = 0.09 if actor.silent else 0.0
    tip_y = _PAD_Y - 0.06 - lift - rest
    if not actor.silent:
        for pad, pad_x in enumerate(_PADS_X):
            hit = now.flash(0.09) * (np.asarray([-1, *pads])[now.index] == pad)
            canvas.paint(ellipse, actor.accent, reach=0.14, x=pad_x, y=_PAD_Y, alpha=hit, rx=0.125, ry=0.055)
    canvas.line((x, tip_y), (x + 0.12, tip_y - 0.24 - 0.4 * lift), 0.03, actor.accent)
    canvas.paint(disc, actor.accent, reach=0.06, x=x, y=tip_y, r=0.035 + 0.012 * actor.size)


def sound(take: Take) -> AudioArray:
    """Play ringing hits, the pads tuned apart."""
    return hits(take, _STRIKE, pitch=_PITCH ** (take.column("pad", 1.0) - 1.0))


CLASS = SoundClass(
    family="impact",
    kind="onset",
    description="A stick strikes one of three pads; a harder hit comes from higher up.",
    materials=("wood", "metal", "glass", "plastic", "stone"),
    heldout_material="glass",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
)
