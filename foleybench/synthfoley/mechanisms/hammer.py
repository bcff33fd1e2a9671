"""A hammer falls on a wedge, rests, and is raised."""

from __future__ import annotations

from foleybench.synthesis.shapes import box
from foleybench.synthfoley.look import Look, Mechanism, wedge
from foleybench.synthfoley.scene import Actor
from foleybench.synthfoley.view import View

_TOP = 0.22
_REACH = 0.2


def _stage(view: View, look: Look) -> None:
    thick = 0.12 + 0.08 * look.size
    view.paint(
        wedge, look.body, reach=0.44, y=_TOP + look.gap, pattern=look.pattern, hw=0.36, thick=thick, thin=0.4 * thick
    )
    view.paint(box, look.stand, reach=(0.03, 0.46), x=0.44, y=-0.02, hw=0.02, hh=0.44)


def _act(view: View, look: Look) -> None:
    half = 0.06 + 0.03 * look.size
    x = _REACH * look.course.across(look.times_s) - 0.06
    y = _TOP - half - look.course.height(look.times_s)
    view.line((x, y), (0.44, 0.5 * y - 0.1), 0.05, look.stand)
    view.paint(box, look.mover, reach=0.12, x=x, y=y, hw=0.8 * half, hh=half)


def _touch(actor: Actor, place: float) -> tuple[float, float]:
    return _REACH * place - 0.06, _TOP


MECHANISM = Mechanism(stage=_stage, act=_act, touch=_touch)
