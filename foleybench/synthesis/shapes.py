"""Compute signed distances of flat shapes.

Every function takes ``u`` (right) and ``v`` (down) of any broadcastable shapes; sizes may be arrays that broadcast too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.synthesis.portable import angle

# float32 in practice: numpy loses the width in mixed expressions.
Grid = npt.NDArray[np.floating[Any]]
Size = Grid | float


def disc(u: Grid, v: Grid, r: Size) -> Grid:
    """Disc of radius ``r``."""
    return np.sqrt(u * u + v * v) - r


def ellipse(u: Grid, v: Grid, rx: Size, ry: Size) -> Grid:
    """Ellipse with half axes ``rx`` and ``ry``; the distance is exact on the outline and close to it near by."""
    k = np.sqrt((u / rx) ** 2 + (v / ry) ** 2)
    return (k - np.float32(1.0)) * np.minimum(rx, ry)


def ring(u: Grid, v: Grid, r: Size, width: Size) -> Grid:
    """Circle of radius ``r``, drawn with a line of the given width."""
    return np.abs(np.sqrt(u * u + v * v) - r) - width * np.float32(0.5)


def box(u: Grid, v: Grid, hw: Size, hh: Size) -> Grid:
    """Box with half width ``hw`` and half height ``hh``."""
    return np.maximum(np.abs(u) - hw, np.abs(v) - hh)


def capsule(u: Grid, v: Grid, hx: Size, hy: Size, r: Size) -> Grid:
    """Line from (-hx, -hy) to (hx, hy) with round ends of radius ``r``."""
    along = (u * hx + v * hy) / (np.square(hx) + np.square(hy) + np.float32(1e-9))
    along = np.clip(along, -1.0, 1.0)
    return np.sqrt((u - along * hx) ** 2 + (v - along * hy) ** 2) - r


def trapezoid(u: Grid, v: Grid, top: Size, bottom: Size, hh: Size) -> Grid:
    """Upright trapezoid: half widths at the top and the bottom, half height."""
    slope = (np.asarray(bottom) - top) / (2.0 * np.asarray(hh))
    side = (np.abs(u) - (top + (v + hh) * slope)) / np.sqrt(1.0 + slope * slope)
    return np.maximum(side, np.abs(v) - hh)


def blades(u: Grid, v: Grid, r: Size, number: float, turn: Size, width: Size) -> Grid:
    """Rotor: ``number`` blades of length ``r``, turned by ``turn`` radians; ``width`` is the blades' share."""
    radius = np.sqrt(u * u + v * v)
    place = (angle(v, u) + turn) * np.float32(number / (2 * np.pi))
    off = np.abs(place - np.round(place)) - np.float32(0.5) * width
    return np.asarray(np.maximum(off * radius * np.float32(2 * np.pi / number), radius - r))


def bell(u: Grid, v: Grid, r: Size, height: Size) -> Grid:
    """Bell that hangs from (0, 0): half width ``r`` at the mouth, ``height`` long."""
    down = np.clip(v / height, 0.0, 1.0)
    flare = np.square(np.square(down))
    half = r * (np.float32(0.42) + np.float32(0.2) * down + np.float32(0.38) * flare)
    half = half * np.minimum(np.float32(1.0), np.sqrt(down * np.float32(6.0)))
    return np.asarray(np.maximum(np.abs(u) - half, np.maximum(-v, v - height)))
