"""A ratchet: a pawl drops off each tooth."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event
from foleybench.synthesis.shapes import box, disc, gear
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import light
from foleybench.synthfoley.modal import Strike, hits
from foleybench.synthfoley.motion import beats
from foleybench.synthfoley.rhythm import onsets

_STRIKE = Strike(
    base_hz=2100.0, length_s=0.06, decay=0.06, noise=1.2, noise_s=0.004, noise_hz=(2500.0, 7000.0), octaves=0.7
)
_TEETH = 9.0
_TURN_S = 0.22


def compose(plan: Plan) -> list[Event]:
    """Write quick even clicks, with a pause after a random number of them."""
    gap_s = 1.0 / plan.rate_hz(3.6, 6.5)

    def gap(k: int) -> float:
        pause = plan.dice.uniform(f"pause length {k}", 0.4, 0.9) if plan.dice.chance(f"pause {k}", 0.1) else 0.0
        return max(0.095, gap_s * plan.dice.uniform(f"sway {k}", 0.95, 1.05)) + pause

    return onsets(plan, gap, strength=lambda k: plan.dice.uniform(f"strength {k}", 0.7, 1.0))


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the post that holds the wheel and the pawl."""
    canvas.paint(box, light(actor.ground, -0.06), reach=0.5, y=0.22, hw=0.05, hh=0.26)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw the wheel, which moves one tooth a click, and the pawl, which rides up each tooth and drops."""
    now = beats(actor.times_s, actor.events)
    turn_s = np.minimum(_TURN_S, now.gap_s)
    ride = np.clip(1.0 - now.until_s / turn_s, 0.0, 1.0)
    radius = 0.2 + 0.06 * actor.size
    turn = now.index + ride
    canvas.paint(
        gear,
        actor.body,
        reach=radius + 0.09,
        y=0.04,
        pattern=actor.material.pattern,
        r=radius,
        depth=0.085,
        teeth=_TEETH,
        turn=turn,
    )
    canvas.paint(disc, actor.accent, reach=0.06, y=0.04, r=0.05)
    spoke = turn * (2 * np.pi / _TEETH)
    canvas.paint(
        disc, actor.accent, reach=0.05, x=-0.6 * radius * np.cos(spoke), y=0.04 + 0.6 * radius * np.sin(spoke), r=0.04
    )
    up = 0.1 * ride + (0.13 if actor.silent else 0.0)
    tip_y = 0.04 - radius - 0.02 - up
    canvas.line((0.02, tip_y), (0.34, -0.3 - 0.3 * up), 0.05, actor.accent)
    if not actor.silent:
        spark = np.asarray([1.0, 0.9, 0.5], dtype=np.float32)
        canvas.paint(disc, spark, reach=0.08, x=0.0, y=tip_y, alpha=np.minimum(1.0, 1.3 * now.flash(0.05)), r=0.07)


def sound(take: Take) -> AudioArray:
    """Play very short bright clicks."""
    return hits(take, _STRIKE)


CLASS = SoundClass(
    family="periodic",
    kind="onset",
    description="A pawl drops off the teeth of a turning wheel.",
    materials=("metal", "wood", "plastic", "brass"),
    heldout_material="brass",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
    min_gap_s=0.09,
)
