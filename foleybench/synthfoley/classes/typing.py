"""A finger that types on a grid of keys in bursts."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event
from foleybench.synthesis.shapes import box, ellipse
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import light
from foleybench.synthfoley.modal import Strike, hits
from foleybench.synthfoley.motion import beats
from foleybench.synthfoley.rhythm import accents, onsets

_STRIKE = Strike(
    base_hz=1500.0, length_s=0.06, decay=0.3, noise=3.0, noise_s=0.006, noise_hz=(2200.0, 7000.0), octaves=0.6
)
_COLUMNS, _ROWS = 4, 3
_PITCH_X, _PITCH_Y = 0.19, 0.15
_TOP_Y = -0.05


def compose(plan: Plan) -> list[Event]:
    """Write key presses with uneven gaps and short thinking pauses."""
    gap_s = 1.0 / plan.rate_hz(2.6, 5.0)

    def gap(k: int) -> float:
        pause = 2.2 if plan.dice.chance(f"pause {k}", 0.12) else 1.0
        return max(0.13, gap_s * pause * plan.dice.uniform(f"gap {k}", 0.75, 1.25))

    def key(k: int) -> dict[str, int]:
        return {"key": plan.dice.choice(f"key {k}", range(_COLUMNS * _ROWS))}

    return onsets(plan, gap, strength=accents(plan, 0.6), factors=key)


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the keyboard."""
    middle = _TOP_Y + _PITCH_Y * (_ROWS - 1) / 2
    canvas.paint(box, light(actor.ground, -0.08), reach=0.42, y=middle, hw=0.41, hh=0.25)
    for key in range(_COLUMNS * _ROWS):
        x, y = _place(key)
        half = 0.062 + 0.022 * actor.size
        canvas.paint(box, actor.body, reach=0.1, x=x, y=y, pattern=actor.material.pattern, hw=half, hh=half - 0.02)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw the pressed key and the finger; the look-alike's finger hovers."""
    now = beats(actor.times_s, actor.events)
    keys = [event.factors.get("key", 5) for event in actor.events]
    places = np.asarray([_place(key) for key in [keys[0], *keys, keys[-1]]])
    move = np.clip(now.since_s / (0.7 * now.gap_s), 0.0, 1.0)[:, None]
    spot = places[now.index] + (places[now.index + 1] - places[now.index]) * move * move * (3.0 - 2.0 * move)
    lift = 0.13 * now.lift(0.07, 0.06) + (0.08 if actor.silent else 0.0)
    if not actor.silent:
        x, y = places[now.index, 0], places[now.index, 1]
        press = np.minimum(1.0, 1.3 * now.flash(0.06))
        canvas.paint(box, actor.accent, reach=0.12, x=x, y=y + 0.01, alpha=press, hw=0.1, hh=0.075)
    skin = np.asarray([0.86, 0.64, 0.52], dtype=np.float32)
    tip_x, tip_y = spot[:, 0], spot[:, 1] - lift
    canvas.line((tip_x, tip_y), (tip_x + 0.1, tip_y + 0.32), 0.085, light(skin, -0.12))
    canvas.paint(ellipse, skin, reach=0.06, x=tip_x, y=tip_y, rx=0.05, ry=0.045)


def sound(take: Take) -> AudioArray:
    """Play short bright clicks."""
    return hits(take, _STRIKE, pitch=2.0 ** ((take.column("key", 5.0) - 5.5) * 0.03))


def _place(key: int) -> tuple[float, float]:
    column, row = key % _COLUMNS, key // _COLUMNS
    return (column - (_COLUMNS - 1) / 2) * _PITCH_X, _TOP_Y + row * _PITCH_Y


CLASS = SoundClass(
    family="impact",
    kind="onset",
    description="A finger presses the keys of a keyboard in bursts.",
    materials=("plastic", "wood", "metal", "stone"),
    heldout_material="wood",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
)
