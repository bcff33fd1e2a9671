"""A block dragged to and fro over a rough board."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event, FloatArray
from foleybench.synthesis.noise import band
from foleybench.synthesis.shapes import box
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import light
from foleybench.synthfoley.materials import MATERIALS
from foleybench.synthfoley.motion import curve_at
from foleybench.synthfoley.rhythm import CURVE_HZ

_BOARD_Y = 0.2
_REACH = 0.27


def compose(plan: Plan) -> list[Event]:
    """Write one span a stroke; its curve is the speed, which rises from and falls to 0."""
    stroke_s = 1.0 / plan.rate_hz(1.0, 2.0)
    start_s = float(plan.factors["start_s"])
    strokes: list[Event] = []
    while start_s < plan.duration_s - 0.15:
        k = len(strokes)
        length_s = min(stroke_s * plan.dice.uniform(f"stroke {k}", 0.75, 1.1), plan.duration_s - start_s)
        whole_s = stroke_s * plan.dice.uniform(f"stroke {k}", 0.75, 1.1)
        strokes.append(_stroke(plan, k, start_s, length_s, whole_s))
        start_s += whole_s + plan.dice.uniform(f"rest {k}", 0.12, 0.35)
    return strokes


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the board with its grooves."""
    canvas.paint(box, light(actor.ground, -0.05), reach=0.5, y=_BOARD_Y + 0.06, hw=0.48, hh=0.06)
    for x in np.linspace(-0.44, 0.44, 12):
        canvas.paint(box, light(actor.ground, -0.2), reach=0.07, x=float(x), y=_BOARD_Y + 0.04, hw=0.012, hh=0.04)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw the block; shavings fly while it moves. The look-alike slides above its board."""
    speed = curve_at(actor.events, actor.times_s)
    x = _REACH * _place(actor)
    width, height = 0.11 + 0.04 * actor.size, 0.08 + 0.03 * actor.size
    lift = 0.1 if actor.silent else 0.0
    y = _BOARD_Y - height - lift
    canvas.line((x, y - height), (x + 0.04, y - 0.32), 0.06, actor.accent)
    canvas.paint(box, actor.body, reach=0.17, x=x, y=y, pattern=actor.material.pattern, hw=width, hh=height)
    if not actor.silent:
        _shavings(canvas, actor, x, speed)


def sound(take: Take) -> AudioArray:
    """Play noise in two bands, the upper one only when fast, ground by the grooves."""
    times_s = np.arange(take.n_samples) / take.rate_hz
    speed = np.minimum(curve_at(take.events, times_s), 1.5).astype(np.float32)
    stuff = MATERIALS[str(take.factors["material"])]
    centre = 520.0 * stuff.pitch**1.3 * 2.0 ** (take.rng.normal(0.0, 0.15) - 0.7 * (take.size - 0.5))
    low = band(take.n_samples, take.rate_hz, 0.7 * centre, 1.4 * centre, rng=take.rng)
    high = band(take.n_samples, take.rate_hz, 1.8 * centre, min(5.0 * centre, 0.45 * take.rate_hz), rng=take.rng)
    grooves = np.cumsum(speed) * np.float32(take.rng.uniform(25.0, 40.0) / take.rate_hz)
    grind = 0.6 + 0.4 * np.cos(2 * np.pi * grooves)
    return np.asarray(grind * (speed**0.8 * low + np.float32(0.7) * speed**2 * high), dtype=np.float32)


def _stroke(plan: Plan, k: int, start_s: float, length_s: float, whole_s: float) -> Event:
    top = plan.dice.uniform(f"speed {k}", 0.6, 1.0)
    steps = np.arange(int(np.ceil(length_s * CURVE_HZ)) + 1) / CURVE_HZ
    values = top * np.sin(np.pi * np.clip(steps / whole_s, 0.0, 1.0)) ** 0.7
    return Event(
        time_s=round(start_s, 6),
        duration_s=round(length_s, 6),
        kind="span",
        label=plan.label,
        strength=round(top, 4),
        factors={"curve_hz": CURVE_HZ, "curve": [round(float(v), 4) for v in values], "whole_s": round(whole_s, 6)},
    )


def _place(actor: Actor) -> FloatArray:
    """Return where the block is, -1 to 1: strokes go right and left in turn, ends at rest."""
    place = np.full(len(actor.times_s), -1.0)
    for k, event in enumerate(actor.events):
        done = np.clip((actor.times_s - event.time_s) / event.factors["whole_s"], 0.0, 1.0)
        place += (2.0 if k % 2 == 0 else -2.0) * (0.5 - 0.5 * np.cos(np.pi * done))
    return place


def _shavings(canvas: Canvas, actor: Actor, x: FloatArray, speed: FloatArray) -> None:
    rng = actor.dice.generator("shavings")
    n = 4
    frame = np.repeat(np.arange(len(x)), n)
    shown = rng.uniform(size=len(frame)) < speed[frame]
    away = rng.uniform(-0.2, 0.2, len(frame))
    up = rng.uniform(0.0, 0.1, len(frame))
    frame = frame[shown]
    across, down = (x[frame] + away[shown]).astype(np.float32), (_BOARD_Y - up[shown]).astype(np.float32)
    canvas.sprinkle(frame, across, down, (0.014, 0.014), actor.accent, 0.9)


CLASS = SoundClass(
    family="continuous",
    kind="span",
    description="A block is dragged to and fro over a grooved board.",
    materials=("wood", "metal", "stone", "plastic"),
    heldout_material="metal",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
)
