"""A block is dragged on a board, or carried above it."""

from __future__ import annotations

from foleybench.synthesis.shapes import box
from foleybench.synthfoley.look import MISS, Look, Mechanism, wedge
from foleybench.synthfoley.motion import lifted, to_and_fro
from foleybench.synthfoley.scene import Actor
from foleybench.synthfoley.view import View

_TOP = 0.16
_REACH = 0.3


def _stage(view: View, look: Look) -> None:
    view.paint(wedge, look.body, reach=0.5, y=_TOP, pattern=look.pattern, hw=0.48, thick=0.14, thin=0.14)


def _act(view: View, look: Look) -> None:
    half = 0.08 + 0.04 * look.size
    x = _REACH * to_and_fro(look.events, look.times_s)
    y = _TOP - half - 1.3 * MISS * lifted(look.events, look.times_s)
    view.line((x, y), (x, y - 0.3), 0.06, look.stand)
    view.paint(box, look.mover, reach=0.16, x=x, y=y, hw=1.2 * half, hh=half)


def _touch(actor: Actor, place: float) -> tuple[float, float]:
    return 0.0, _TOP


MECHANISM = Mechanism(stage=_stage, act=_act, touch=_touch)
