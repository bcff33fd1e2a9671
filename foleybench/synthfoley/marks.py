"""Draw parts that several classes share: floor, dust, sparks."""

from __future__ import annotations

import numpy as np

from foleybench.synthesis.shapes import box, disc
from foleybench.synthfoley.canvas import Canvas, Colour, PerFrame
from foleybench.synthfoley.motion import Beats

FLOOR = 0.3


def floor(canvas: Canvas, colour: Colour, y: float = FLOOR) -> None:
    """Paint a floor across the frame from ``y`` down."""
    canvas.paint(box, colour, reach=4.0, y=y + 4.0, hw=4.0, hh=4.0)


def dust(canvas: Canvas, beats: Beats, x: PerFrame, y: float, colour: Colour, *, reach: float = 0.13) -> None:
    """Paint two puffs that fly apart from each real contact and fade; silent contacts have none."""
    fresh = beats.flash(0.07)
    spread = reach * (0.35 + 0.65 * np.clip(np.nan_to_num(beats.since_s, posinf=1.0) / 0.15, 0.0, 1.0))
    for side in (-1.0, 1.0):
        canvas.paint(disc, colour, reach=0.06, x=x + side * spread, y=y - 0.35 * spread, alpha=fresh, r=0.04)


def light(colour: Colour, amount: float) -> Colour:
    """Return a colour made lighter (or darker, below 0)."""
    return np.asarray(np.clip(colour + np.float32(amount), 0.0, 1.0), dtype=np.float32)
