"""A block slides on a rail between two stops."""

from __future__ import annotations

from foleybench.synthesis.shapes import box
from foleybench.synthfoley.look import Look, Mechanism
from foleybench.synthfoley.scene import Actor
from foleybench.synthfoley.view import View

_RAIL = 0.2
_REACH = 0.2


def _stage(view: View, look: Look) -> None:
    half = _half(look.size)
    view.paint(box, look.stand, reach=(0.52, 0.03), y=_RAIL + 0.02, hw=0.5, hh=0.02)
    for side, place in zip((-1.0, 1.0), look.actor.extra["stops"], strict=True):
        # The thinner stop sounds higher.
        wide = 0.075 - 0.03 * place
        x = side * (_REACH + half + look.gap + wide)
        view.paint(
            box,
            look.body,
            reach=(0.12, 0.26),
            x=x,
            y=_RAIL - 0.2,
            pattern=look.pattern,
            hw=wide,
            hh=0.16 + 0.05 * look.size,
        )


def _act(view: View, look: Look) -> None:
    half = _half(look.size)
    x = _REACH * look.course.slide(look.times_s)
    view.paint(box, look.mover, reach=0.16, x=x, y=_RAIL - 0.1, hw=half, hh=0.1)


def _touch(actor: Actor, place: float) -> tuple[float, float]:
    side = -1.0 if place == actor.extra["stops"][0] else 1.0
    return side * (_REACH + _half(actor.size)), _RAIL - 0.1


def _half(size: float) -> float:
    return 0.09 + 0.04 * size


MECHANISM = Mechanism(stage=_stage, act=_act, touch=_touch)
