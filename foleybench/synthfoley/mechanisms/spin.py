"""A hand turns past pegs on a circle.

Some pegs are too short to be reached.
"""

from __future__ import annotations

import numpy as np

from foleybench.synthesis.shapes import box, disc
from foleybench.synthfoley.look import Look, Mechanism
from foleybench.synthfoley.scene import Actor
from foleybench.synthfoley.view import View

_HAND = 0.32
_RIM = 0.46


def _stage(view: View, look: Look) -> None:
    for angle, reached in look.actor.extra["pegs"]:
        # A peg ends just inside the hand's circle, or well outside it.
        inner = _HAND - 0.05 if reached else _HAND + 0.09
        half, middle = (_RIM - inner) / 2.0, (_RIM + inner) / 2.0
        turn = 2 * np.pi * angle
        x, y = middle * np.cos(turn), middle * np.sin(turn)
        wide = 0.045 + 0.02 * look.size
        view.paint(box, look.body, reach=0.14, x=x, y=y, angle=turn, pattern=look.pattern, hw=half, hh=wide)


def _act(view: View, look: Look) -> None:
    course, pegs = look.course, look.actor.extra["pegs"]
    steps = [_step(pegs, row - 2) for row in range(1, len(course.place))]
    cycles = pegs[-2 % len(pegs)][0] + np.cumsum([0.0, *steps])
    turn = 2 * np.pi * np.interp(look.times_s, course.contact_s, cycles)
    view.line((0.0, 0.0), (_HAND * np.cos(turn), _HAND * np.sin(turn)), 0.07, look.mover)
    view.paint(disc, look.stand, reach=0.1, r=0.08)


def _step(pegs: list[list[float]], k: int) -> float:
    """Return the angle in cycles from the peg before to that of contact k."""
    here, before = pegs[k % len(pegs)][0], pegs[(k - 1) % len(pegs)][0]
    return (here - before) % 1.0 or 1.0


def _touch(actor: Actor, place: float) -> tuple[float, float]:
    turn = np.pi * (place + 1.0)
    return _HAND * float(np.cos(turn)), _HAND * float(np.sin(turn))


MECHANISM = Mechanism(stage=_stage, act=_act, touch=_touch)
