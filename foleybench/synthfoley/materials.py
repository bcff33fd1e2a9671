"""Define materials: continuous physical properties, and their looks.

Numbers are of the order of textbook values (stiffness in GPa, density in kg/m3); objects draw theirs around them.
Colour and pattern only hint at materials: half of an object's colour is drawn without regard to its material.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from foleybench.synthesis.dice import Dice
from foleybench.synthesis.shapes import Grid

_WOOD_SPEED = (12.0 / 600.0) ** 0.5


def _grain(u: Grid, v: Grid) -> Grid:
    return np.asarray(np.float32(0.05) * np.sin(np.float32(70.0) * v + np.float32(9.0) * u))


def _gloss(u: Grid, v: Grid) -> Grid:
    return np.asarray(np.clip(np.float32(0.15) - np.float32(3.0) * np.abs(u + v + np.float32(0.02)), -0.03, 0.15))


def _speckle(u: Grid, v: Grid) -> Grid:
    return np.asarray(np.float32(0.06) * np.sin(np.float32(110.0) * u) * np.sin(np.float32(90.0) * v))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Material:
    """A material.

    Attributes:
        colour: Typical colour, red, green, blue in [0, 1].
        pattern: Surface pattern that is added to the colour, or None when plain.
        stiffness: Typical Young's modulus in GPa.
        density: Typical density in kg/m3.
        ring: How long it rings: factor on the decay time of a body.
        tilt: How weak its high modes are, added to that of the body.
        noise: Factor on the noise of a contact.
    """

    colour: tuple[float, float, float]
    pattern: Callable[[Grid, Grid], Grid] | None
    stiffness: float
    density: float
    ring: float
    tilt: float
    noise: float


MATERIALS = {
    "wood": Material(
        colour=(0.58, 0.38, 0.20), pattern=_grain, stiffness=12.0, density=600.0, ring=0.5, tilt=0.3, noise=1.0
    ),
    "metal": Material(
        colour=(0.60, 0.63, 0.68), pattern=_gloss, stiffness=200.0, density=7800.0, ring=2.2, tilt=-0.3, noise=0.6
    ),
    "glass": Material(
        colour=(0.55, 0.75, 0.80), pattern=_gloss, stiffness=70.0, density=2500.0, ring=1.2, tilt=-0.1, noise=0.4
    ),
    "ceramic": Material(
        colour=(0.82, 0.76, 0.68), pattern=None, stiffness=110.0, density=2300.0, ring=0.8, tilt=0.0, noise=0.6
    ),
    "stone": Material(
        colour=(0.45, 0.44, 0.42), pattern=_speckle, stiffness=50.0, density=2600.0, ring=0.35, tilt=0.1, noise=1.5
    ),
    "plastic": Material(
        colour=(0.75, 0.25, 0.30), pattern=None, stiffness=3.0, density=1100.0, ring=0.28, tilt=0.5, noise=1.1
    ),
    "rubber": Material(
        colour=(0.22, 0.24, 0.30), pattern=None, stiffness=0.3, density=1100.0, ring=0.16, tilt=1.0, noise=0.5
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Substance:
    """The substance of one object: continuous properties drawn around those of its material.

    Attributes:
        stiffness: Young's modulus in GPa.
        density: In kg/m3.
        ring: Factor on the decay time.
        tilt: Added to the tilt of the body.
        noise: Factor on the noise of a contact.
    """

    stiffness: float
    density: float
    ring: float
    tilt: float
    noise: float

    @property
    def pitch(self) -> float:
        """Factor on the pitch: speed of sound against that of wood, compressed so that rubber stays audible."""
        speed: float = (self.stiffness / self.density) ** 0.5
        return float((speed / _WOOD_SPEED) ** 0.6)


def typical(material: str) -> Substance:
    """Return the properties that objects of a material are drawn around."""
    stuff = MATERIALS[material]
    return Substance(
        stiffness=stuff.stiffness, density=stuff.density, ring=stuff.ring, tilt=stuff.tilt, noise=stuff.noise
    )


def draw_substance(material: str, dice: Dice) -> Substance:
    """Draw an object's properties: within a factor of 1.5 of the typical ones, so that materials overlap a little.

    Example:
        >>> 6.0 < draw_substance("wood", Dice("a")).stiffness < 24.0
        True
    """
    stuff = MATERIALS[material]
    return Substance(
        stiffness=round(stuff.stiffness * 2.0 ** dice.uniform("stiffness", -0.55, 0.55), 4),
        density=round(stuff.density * 2.0 ** dice.uniform("density", -0.3, 0.3), 2),
        ring=round(stuff.ring * 2.0 ** dice.uniform("ring", -0.5, 0.5), 4),
        tilt=round(stuff.tilt + dice.uniform("tilt", -0.2, 0.2), 4),
        noise=round(stuff.noise * 2.0 ** dice.uniform("noise", -0.5, 0.5), 4),
    )
