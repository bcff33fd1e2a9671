"""Give mechanisms their events, colours and marks."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from foleybench.clips import Event, FloatArray
from foleybench.synthesis.shapes import Grid, Size
from foleybench.synthfoley.classes import load_class
from foleybench.synthfoley.materials import MATERIALS
from foleybench.synthfoley.motion import Course, course
from foleybench.synthfoley.scene import Actor
from foleybench.synthfoley.view import Colour, Pattern, View

MISS = 0.13
_STRIPES = (0.0, 42.0, 84.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Look:
    """One actor, ready to be drawn.

    Attributes:
        actor: The actor.
        events: Its events, silent ones too, in time order.
        times_s: Frame times, shape (T,).
        body: Colour of the part that sounds.
        mover: Colour of the part that moves.
        stand: Colour of the stand.
        pattern: Surface pattern of the body: its material's, and its class's faint stripes.
    """

    actor: Actor
    events: tuple[Event, ...]
    times_s: FloatArray
    body: Colour
    mover: Colour
    stand: Colour
    pattern: Pattern

    @functools.cached_property
    def course(self) -> Course:
        """The contacts, for mechanisms that have them."""
        return course(self.actor, self.events)

    @property
    def gap(self) -> float:
        """How far the struck part has been moved away, in local units."""
        return MISS if self.actor.silent == "miss" else 0.0

    @property
    def size(self) -> float:
        """Size of the object, 0 to 1."""
        return self.actor.size


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mechanism:
    """The visible part of a group of classes; a local unit is about its size.

    Attributes:
        stage: Draws the parts that do not move.
        act: Draws the parts that move; look-alikes are drawn by the same code.
        touch: Point of contact, in local units, from the actor and a place in [-1, 1].
    """

    stage: Callable[[View, Look], None]
    act: Callable[[View, Look], None]
    touch: Callable[[Actor, float], tuple[float, float]]


def look_of(actor: Actor, events: Sequence[Event], times_s: FloatArray, *, wall: Colour, contrast: float) -> Look:
    """Choose an actor's colours: half of its material, half of its own, set off from the wall."""
    mixed = 0.5 * np.asarray(MATERIALS[actor.material].colour) + 0.5 * np.asarray(actor.tint)
    body = set_off(mixed, wall, contrast)
    mover = set_off(np.asarray(actor.tint)[::-1], wall, contrast + 0.1)
    stand = np.clip(wall * 0.75 + 0.25 * body, 0.0, 1.0)
    surface = MATERIALS[actor.material].pattern
    waves = np.float32(_STRIPES[load_class(actor.label).number])

    def pattern(u: Grid, v: Grid) -> Grid:
        stripes = np.float32(0.07) * np.sin(waves * u)
        return np.asarray(stripes if surface is None else stripes + surface(u, v))

    return Look(
        actor=actor,
        events=tuple(events),
        times_s=times_s,
        body=body.astype(np.float32),
        mover=mover.astype(np.float32),
        stand=stand.astype(np.float32),
        pattern=pattern,
    )


def set_off(colour: FloatArray, wall: Colour, contrast: float) -> FloatArray:
    """Return a colour made lighter or darker until its lightness differs that much from the wall's."""
    ground = float(wall.mean())
    away = 1.0 if ground < 0.5 else -1.0
    wanted = ground + away * contrast
    lightness = float(colour.mean())
    if (lightness - wanted) * away < 0.0:
        colour = colour + (wanted - lightness)
    return np.asarray(np.clip(colour, 0.02, 0.98))


def wedge(u: Grid, v: Grid, hw: Size, thick: Size, thin: Size) -> Grid:
    """Bar with a flat top at 0: half width ``hw``, as thick as ``thick`` on the left and ``thin`` on the right."""
    depth = thick + (thin - thick) * (u / hw + np.float32(1.0)) * np.float32(0.5)
    return np.maximum(np.abs(u) - hw, np.maximum(-v, v - depth))
