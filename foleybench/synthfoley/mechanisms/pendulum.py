"""A bob swings against a standing wedge and rebounds."""

from __future__ import annotations

import numpy as np

from foleybench.synthesis.shapes import disc
from foleybench.synthfoley.look import Look, Mechanism, wedge
from foleybench.synthfoley.scene import Actor
from foleybench.synthfoley.view import View

_FACE = -0.2
_LENGTH = 0.5
_REACH = 0.14
_PIVOT_Y = -0.4


def _stage(view: View, look: Look) -> None:
    thick = 0.12 + 0.08 * look.size
    view.paint(
        wedge,
        look.body,
        reach=0.44,
        x=_FACE - look.gap,
        y=0.1,
        angle=np.pi / 2,
        pattern=look.pattern,
        hw=0.32,
        thick=thick,
        thin=0.4 * thick,
    )


def _act(view: View, look: Look) -> None:
    r = 0.08 + 0.04 * look.size
    swing = 2.0 * look.course.height(look.times_s)
    pivot = _PIVOT_Y + _REACH * look.course.across(look.times_s)
    x, y = _FACE + r + _LENGTH * np.sin(swing), pivot + _LENGTH * np.cos(swing)
    view.line((_FACE + r, pivot), (x, y), 0.035, look.stand)
    view.paint(disc, look.mover, reach=r + 0.01, x=x, y=y, r=r)


def _touch(actor: Actor, place: float) -> tuple[float, float]:
    return _FACE, _PIVOT_Y + _REACH * place + _LENGTH


MECHANISM = Mechanism(stage=_stage, act=_act, touch=_touch)
