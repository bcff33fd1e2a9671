"""A walker: feet land in turn on some ground."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event, FloatArray
from foleybench.synthesis.shapes import box, disc
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import FLOOR, dust, floor, light
from foleybench.synthfoley.modal import Strike, bursts, hits
from foleybench.synthfoley.motion import beats
from foleybench.synthfoley.rhythm import onsets

_STRIKE = Strike(
    base_hz=115.0, length_s=0.25, decay=0.5, noise=0.3, noise_s=0.006, noise_hz=(500.0, 4000.0), octaves=0.5
)
# How long and how bright the sole rubs on each ground: decay in seconds, band in Hz, level.
_SCUFF = {
    "wood": (0.018, (400.0, 2000.0), 0.30),
    "stone": (0.030, (1500.0, 5500.0), 0.55),
    "metal": (0.022, (2500.0, 6500.0), 0.35),
    "leaf": (0.060, (1800.0, 7000.0), 1.00),
    "plastic": (0.020, (700.0, 2800.0), 0.35),
}
_STRIDE = 0.15


def compose(plan: Plan) -> list[Event]:
    """Write steady steps with a slight limp."""
    gap_s = 1.0 / plan.rate_hz(1.4, 2.8)
    limp = plan.dice.uniform("limp", -0.1, 0.1)
    return onsets(
        plan,
        lambda k: gap_s * (1.0 + (limp if k % 2 else -limp) + plan.dice.uniform(f"sway {k}", -0.05, 0.05)),
        strength=lambda k: plan.dice.uniform(f"strength {k}", 0.6, 1.0),
        factors=lambda k: {"foot": k % 2},
    )


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the ground in the colour of its material."""
    if not actor.silent:
        floor(canvas, actor.ground)
        canvas.paint(
            box, actor.body, reach=(4.0, 0.04), y=FLOOR + 0.03, pattern=actor.material.pattern, hw=4.0, hh=0.03
        )


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw two legs, a body and a head; the look-alike walks on air."""
    now = beats(actor.times_s, actor.events)
    raise_y = 0.1 if actor.silent else 0.0
    stride = _STRIDE * (0.8 + 0.4 * actor.size)
    hip_y = FLOOR - 0.27 - raise_y - 0.025 * np.sin(np.pi * now.fraction)
    steps = now.index + now.fraction
    colours = (actor.accent, light(actor.accent, -0.18))
    landing = np.zeros_like(steps)
    for foot, colour in enumerate(colours):
        x, lift = _foot((steps - 1.0 - foot) / 2.0 % 1.0, stride)
        foot_y = FLOOR - 0.02 - raise_y - 0.1 * lift
        landing = np.where((now.index - 1) % 2 == foot, x, landing)
        canvas.line((0.0, hip_y), (x, foot_y), 0.055, colour)
        canvas.line((x - 0.01, foot_y), (x + 0.06, foot_y), 0.05, colour)
    canvas.line((0.0, hip_y), (0.02, hip_y - 0.2), 0.1, actor.accent)
    canvas.paint(disc, actor.accent, reach=0.08, x=0.03, y=hip_y - 0.32, r=0.065)
    if not actor.silent:
        dust(canvas, now, landing + 0.03, FLOOR, actor.accent, reach=0.15)


def sound(take: Take) -> AudioArray:
    """Play a low thump and a scuff whose brightness the ground decides."""
    noise_s, noise_hz, level = _SCUFF[str(take.factors["material"])]
    scuff = Strike(base_hz=_STRIKE.base_hz, noise_s=noise_s * 2.0 ** take.rng.normal(0.0, 0.3), noise_hz=noise_hz)
    return hits(take, _STRIKE) + bursts(take, scuff, level=level)


def _foot(phase: FloatArray, stride: float) -> tuple[FloatArray, FloatArray]:
    """Return where a foot is and how high: on the ground it goes back, in the air it swings forward."""
    standing = phase < 0.5
    swing = np.clip((phase - 0.5) * 2.0, 0.0, 1.0)
    x = np.where(standing, stride * (1.0 - 4.0 * phase), stride * (2.0 * swing - 1.0))
    return x, np.where(standing, 0.0, np.sin(np.pi * swing))


CLASS = SoundClass(
    family="impact",
    kind="onset",
    description="A walker's feet land in turn on ground of some material.",
    materials=("wood", "stone", "metal", "leaf", "plastic"),
    heldout_material="metal",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
)
