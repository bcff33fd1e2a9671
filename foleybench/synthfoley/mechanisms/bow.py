"""A bow moves on a string, or beside it."""

from __future__ import annotations

from foleybench.synthesis.shapes import box, ellipse
from foleybench.synthfoley.look import Look, Mechanism
from foleybench.synthfoley.motion import lifted, to_and_fro, wandering
from foleybench.synthfoley.scene import Actor
from foleybench.synthfoley.view import View

_REACH = 0.2
_BESIDE = 0.44
_Y = 0.12


def _stage(view: View, look: Look) -> None:
    view.paint(ellipse, look.stand, reach=0.36, y=_Y + 0.1, rx=0.32, ry=0.12 + 0.05 * look.size)
    thick = 0.035 + 0.02 * look.size
    view.paint(box, look.body, reach=(0.36, 0.08), x=-0.03, y=_Y, pattern=look.pattern, hw=0.33, hh=thick)


def _act(view: View, look: Look) -> None:
    beside = lifted(look.events, look.times_s)
    x = _REACH * wandering(look.events, look.times_s)
    x = x + (_BESIDE - x) * beside
    y = _Y - 0.05 + 0.26 * to_and_fro(look.events, look.times_s)
    view.paint(box, look.mover, reach=(0.06, 0.36), x=x, y=y, hw=0.03, hh=0.34)


def _touch(actor: Actor, place: float) -> tuple[float, float]:
    return _REACH * place, _Y


MECHANISM = Mechanism(stage=_stage, act=_act, touch=_touch)
