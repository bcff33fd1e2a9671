"""Two legs walk to and fro on a board."""

from __future__ import annotations

from foleybench.synthesis.shapes import ellipse
from foleybench.synthfoley.look import Look, Mechanism, wedge
from foleybench.synthfoley.scene import Actor
from foleybench.synthfoley.view import View

_TOP = 0.3
_REACH = 0.3
_HIP = -0.2


def _stage(view: View, look: Look) -> None:
    thick = 0.1 + 0.08 * look.size
    view.paint(
        wedge, look.body, reach=0.5, y=_TOP + look.gap, pattern=look.pattern, hw=0.46, thick=thick, thin=0.4 * thick
    )


def _act(view: View, look: Look) -> None:
    width = 0.09 + 0.03 * look.size
    feet = []
    for first in (0, 1):
        foot = look.course.pick(first, 2)
        feet.append((_REACH * foot.across(look.times_s), _TOP - width / 2 - foot.height(look.times_s)))
    hip = 0.5 * (feet[0][0] + feet[1][0])
    for x, y in feet:
        view.line((hip, _HIP), (x, y), width, look.mover)
    view.paint(ellipse, look.mover, reach=(0.14, 0.16), x=hip, y=_HIP - 0.1, rx=0.11, ry=0.15)


def _touch(actor: Actor, place: float) -> tuple[float, float]:
    return _REACH * place, _TOP


MECHANISM = Mechanism(stage=_stage, act=_act, touch=_touch)
