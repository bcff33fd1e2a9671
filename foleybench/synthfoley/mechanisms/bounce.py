"""A ball falls on a wedge, and bounces or lies still."""

from __future__ import annotations

from foleybench.synthesis.shapes import disc
from foleybench.synthfoley.look import Look, Mechanism, wedge
from foleybench.synthfoley.scene import Actor
from foleybench.synthfoley.view import View

_TOP = 0.22
_REACH = 0.26


def _stage(view: View, look: Look) -> None:
    thick = 0.12 + 0.08 * look.size
    view.paint(
        wedge, look.body, reach=0.44, y=_TOP + look.gap, pattern=look.pattern, hw=0.4, thick=thick, thin=0.4 * thick
    )


def _act(view: View, look: Look) -> None:
    r = 0.09 + 0.04 * look.size
    height = 1.25 * look.course.height(look.times_s)
    view.paint(disc, look.mover, reach=r + 0.01, x=_REACH * look.course.across(look.times_s), y=_TOP - r - height, r=r)


def _touch(actor: Actor, place: float) -> tuple[float, float]:
    return _REACH * place, _TOP


MECHANISM = Mechanism(stage=_stage, act=_act, touch=_touch)
