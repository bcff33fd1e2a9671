"""Define materials: how each looks and rings.

Colours only hint at materials: each clip's colour is jittered.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from foleybench.synthesis.shapes import Grid

_BAR = (1.0, 2.76, 5.40, 8.93, 13.34, 18.64)
_PLATE = (1.0, 1.73, 2.33, 3.91, 4.11, 6.30)
_SHELL = (1.0, 2.32, 4.25, 6.63, 9.38, 12.22)
_SOFT = (1.0, 1.52, 2.10, 2.71, 3.30, 4.05)


def _grain(u: Grid, v: Grid) -> Grid:
    return np.asarray(np.float32(0.09) * np.sin(np.float32(70.0) * v + np.float32(9.0) * u))


def _gloss(u: Grid, v: Grid) -> Grid:
    return np.asarray(np.clip(np.float32(0.28) - np.float32(4.0) * np.abs(u + v + np.float32(0.02)), -0.06, 0.28))


def _glint(u: Grid, v: Grid) -> Grid:
    return np.where(np.abs(u - v * np.float32(0.5) + np.float32(0.02)) < 0.012, np.float32(0.4), np.float32(0.0))


def _speckle(u: Grid, v: Grid) -> Grid:
    return np.asarray(np.float32(0.08) * np.sin(np.float32(210.0) * u) * np.sin(np.float32(190.0) * v))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Material:
    """A material.

    Attributes:
        colour: Typical colour, red, green, blue in [0, 1].
        pattern: Surface pattern that is added to the colour, or None when plain.
        ratios: Frequencies of its modes over the lowest one.
        pitch: Factor on the pitch of an object of a given size.
        decay_s: Time for the lowest mode to fall to 1/e.
        damping: How much faster high modes die: decay is divided by ``ratio ** damping``.
        tilt: How weak high modes are: gain is ``ratio ** -tilt``.
        noise: Share of the hit that is noise.
    """

    colour: tuple[float, float, float]
    pattern: Callable[[Grid, Grid], Grid] | None
    ratios: tuple[float, ...]
    pitch: float
    decay_s: float
    damping: float
    tilt: float
    noise: float


MATERIALS = {
    "wood": Material(
        colour=(0.58, 0.38, 0.20),
        pattern=_grain,
        ratios=_PLATE,
        pitch=1.0,
        decay_s=0.055,
        damping=0.7,
        tilt=0.7,
        noise=0.25,
    ),
    "metal": Material(
        colour=(0.60, 0.63, 0.68),
        pattern=_gloss,
        ratios=_BAR,
        pitch=1.6,
        decay_s=0.30,
        damping=0.35,
        tilt=0.3,
        noise=0.10,
    ),
    "brass": Material(
        colour=(0.80, 0.64, 0.22),
        pattern=_gloss,
        ratios=_BAR,
        pitch=1.3,
        decay_s=0.38,
        damping=0.5,
        tilt=0.5,
        noise=0.10,
    ),
    "glass": Material(
        colour=(0.55, 0.82, 0.86),
        pattern=_glint,
        ratios=_SHELL,
        pitch=2.2,
        decay_s=0.16,
        damping=0.3,
        tilt=0.2,
        noise=0.15,
    ),
    "plastic": Material(
        colour=(0.85, 0.28, 0.30),
        pattern=None,
        ratios=_SOFT,
        pitch=1.25,
        decay_s=0.032,
        damping=0.3,
        tilt=0.5,
        noise=0.35,
    ),
    "rubber": Material(
        colour=(0.20, 0.20, 0.24),
        pattern=None,
        ratios=_SOFT,
        pitch=0.6,
        decay_s=0.060,
        damping=1.2,
        tilt=1.3,
        noise=0.15,
    ),
    "stone": Material(
        colour=(0.48, 0.47, 0.44),
        pattern=_speckle,
        ratios=_PLATE,
        pitch=1.8,
        decay_s=0.020,
        damping=0.2,
        tilt=0.2,
        noise=0.5,
    ),
    "leaf": Material(
        colour=(0.30, 0.55, 0.22),
        pattern=_speckle,
        ratios=_SOFT,
        pitch=1.4,
        decay_s=0.015,
        damping=0.2,
        tilt=0.1,
        noise=0.9,
    ),
    "cloth": Material(
        colour=(0.52, 0.30, 0.56),
        pattern=None,
        ratios=_SOFT,
        pitch=0.5,
        decay_s=0.030,
        damping=1.0,
        tilt=1.2,
        noise=0.7,
    ),
}
