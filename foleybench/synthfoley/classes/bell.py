"""A swinging bell: the clapper strikes at each end."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event
from foleybench.synthesis.shapes import bell, box, disc, ring
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import light
from foleybench.synthfoley.modal import Strike, hits
from foleybench.synthfoley.motion import beats
from foleybench.synthfoley.rhythm import onsets

_STRIKE = Strike(
    base_hz=330.0, length_s=2.5, decay=2.2, noise=0.8, noise_s=0.004, noise_hz=(2000.0, 7000.0), octaves=1.0
)
_SWING = 0.5
_HANG_Y = -0.32


def compose(plan: Plan) -> list[Event]:
    """Write slow, nearly even strikes."""
    gap_s = 1.0 / plan.rate_hz(0.8, 1.7)
    return onsets(
        plan,
        lambda k: gap_s * plan.dice.uniform(f"sway {k}", 0.94, 1.06),
        strength=lambda k: plan.dice.uniform(f"strength {k}", 0.65, 1.0),
    )


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the beam that the bell hangs from."""
    canvas.paint(box, light(actor.ground, -0.12), reach=0.45, y=_HANG_Y - 0.03, hw=0.4, hh=0.04)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw the bell, the clapper and a ring of sound after each strike; the look-alike has no clapper."""
    now = beats(actor.times_s, actor.events)
    side = np.where(now.index % 2 == 0, 1.0, -1.0)
    angle = _SWING * np.cos(np.pi * now.fraction) * side
    radius, height = 0.2 + 0.08 * actor.size, 0.4 + 0.06 * actor.size
    mouth_x, mouth_y = -np.sin(angle) * height, _HANG_Y + np.cos(angle) * height
    swing = angle * 1.55
    clapper_x, clapper_y = -np.sin(swing) * height * 1.08, _HANG_Y + np.cos(swing) * height * 1.08
    if not actor.silent:
        age = np.clip(np.nan_to_num(now.since_s, posinf=9.0), 0.0, 1.0)
        canvas.paint(
            ring,
            actor.accent,
            reach=0.5,
            x=mouth_x,
            y=mouth_y,
            alpha=now.flash(0.12),
            r=0.18 + 0.8 * np.minimum(age, 0.35),
            width=0.035,
        )
        canvas.line((0.0, _HANG_Y), (clapper_x, clapper_y), 0.025, light(actor.body, -0.2))
    canvas.paint(
        bell,
        actor.body,
        reach=height + 0.04,
        y=_HANG_Y,
        angle=angle,
        pattern=actor.material.pattern,
        r=radius,
        height=height,
    )
    if not actor.silent:
        canvas.paint(disc, light(actor.body, -0.25), reach=0.08, x=clapper_x, y=clapper_y, r=0.055)


def sound(take: Take) -> AudioArray:
    """Play long ringing strikes; glass and wood ring shorter than metal."""
    return hits(take, _STRIKE)


CLASS = SoundClass(
    family="tonal",
    kind="onset",
    description="A bell swings and its clapper strikes at each end.",
    materials=("brass", "metal", "glass", "wood"),
    heldout_material="wood",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
)
