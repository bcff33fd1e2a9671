"""A spoked wheel turns by fits and starts beside a tongue.

The tongue touches its spokes or is drawn back.
"""

from __future__ import annotations

import numpy as np

from foleybench.synthesis.shapes import blades, box, ring
from foleybench.synthfoley.look import MISS, Look, Mechanism
from foleybench.synthfoley.motion import lifted, turned
from foleybench.synthfoley.scene import Actor
from foleybench.synthfoley.view import View

_SPOKES = 7
_TURNS_PER_S = 0.55


def _stage(view: View, look: Look) -> None:
    view.paint(ring, look.stand, reach=0.4, x=0.1, r=_radius(look.size) + 0.03, width=0.03)


def _act(view: View, look: Look) -> None:
    r = _radius(look.size)
    turn = 2 * np.pi * _TURNS_PER_S * turned(look.events, look.times_s)
    view.paint(blades, look.mover, reach=r + 0.02, x=0.1, r=r, fixed={"number": _SPOKES, "turn": turn, "width": 0.3})
    tip = 0.1 - r + 0.07 - 1.2 * MISS * lifted(look.events, look.times_s)
    view.paint(box, look.body, reach=(0.16, 0.08), x=tip - 0.14, pattern=look.pattern, hw=0.14, hh=0.06)


def _touch(actor: Actor, place: float) -> tuple[float, float]:
    return 0.1 - _radius(actor.size) + 0.05, 0.0


def _radius(size: float) -> float:
    return 0.24 + 0.08 * size


MECHANISM = Mechanism(stage=_stage, act=_act, touch=_touch)
