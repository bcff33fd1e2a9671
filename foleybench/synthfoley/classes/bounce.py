"""A bouncing ball: each bounce lower, then thrown up again."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event
from foleybench.synthesis.shapes import ellipse
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import FLOOR, dust, floor, light
from foleybench.synthfoley.modal import Strike, hits
from foleybench.synthfoley.motion import beats
from foleybench.synthfoley.rhythm import onsets

_STRIKE = Strike(base_hz=170.0, length_s=0.9, decay=0.8, noise=0.8, noise_s=0.006, noise_hz=(300.0, 3000.0))
_SHORTEST_S = 0.2
_SILENT_RISE = 0.12


def compose(plan: Plan) -> list[Event]:
    """Write the contacts: gaps shrink by the restitution, then a new throw starts from the full height."""
    full_s = 1.0 / plan.rate_hz(1.25, 2.2)
    restitution = plan.dice.uniform("restitution", 0.72, 0.88)
    per_throw = max(1, int(np.log(_SHORTEST_S / full_s) / np.log(restitution)))
    shrink = [restitution ** (k % per_throw) for k in range(1000)]
    return onsets(
        plan,
        lambda k: max(0.13, full_s * shrink[(k + 1) % 1000]),
        # The speed of impact is proportional to the time in the air before it.
        strength=lambda k: max(0.35, shrink[k % 1000]),
    )


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the floor."""
    if not actor.silent:
        floor(canvas, actor.ground)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw the ball: a parabola between contacts, squashed at each; the look-alike turns round in mid-air."""
    now = beats(actor.times_s, actor.events)
    radius = 0.085 + 0.05 * actor.size
    longest = max(0.3, float(now.gap_s.max()))
    apex = 0.5 * np.minimum(1.0, now.gap_s / longest) ** 2
    height = apex * 4.0 * now.fraction * (1.0 - now.fraction)
    squash = np.zeros_like(height) if actor.silent else 0.4 * now.flash(0.04)
    rise = _SILENT_RISE if actor.silent else 0.0
    ry = radius * (1.0 - squash)
    y = FLOOR - height - ry - rise
    if not actor.silent:
        shadow = light(actor.ground, -0.12)
        canvas.paint(ellipse, shadow, reach=0.15, y=FLOOR + 0.02, rx=radius * 0.9, ry=0.018)
    canvas.paint(
        ellipse,
        actor.body,
        reach=radius * 1.35,
        y=y,
        pattern=actor.material.pattern,
        rx=radius * (1 + squash * 0.7),
        ry=ry,
    )
    canvas.paint(
        ellipse, actor.accent, reach=radius * 0.4, x=-0.3 * radius, y=y - 0.3 * ry, rx=radius * 0.22, ry=radius * 0.22
    )
    if not actor.silent:
        dust(canvas, now, 0.0, FLOOR, actor.accent, reach=0.2)


def sound(take: Take) -> AudioArray:
    """Play a dull thump that rings like the ball's material."""
    return hits(take, _STRIKE)


CLASS = SoundClass(
    family="impact",
    kind="onset",
    description="A ball bounces on the floor; bounces get lower, softer and closer.",
    materials=("rubber", "wood", "metal", "plastic", "glass"),
    heldout_material="glass",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
)
