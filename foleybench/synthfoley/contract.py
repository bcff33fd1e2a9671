"""Declare the contract of a class: compose, draw, play.

``compose`` writes the event list; ``stage`` and ``act`` draw the events; ``sound`` plays them. The last three use only
that list and the clip's factors (and draws of their own for looks and timbre), so video and audio cannot disagree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from foleybench.clips import AudioArray, Clock, Event, FloatArray
from foleybench.synthesis.dice import Dice
from foleybench.synthfoley.canvas import Canvas, Colour
from foleybench.synthfoley.materials import Material

Family = Literal["impact", "periodic", "continuous", "tonal"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """The input of ``compose``.

    Attributes:
        label: Class name, to be written on every event.
        dice: Draws of this actor.
        duration_s: Length of the clip.
        factors: Common factors: ``material``, ``size`` (0 to 1), ``tempo`` (0 to 1, more when held out),
            ``distance_m``, ``start_s``.
    """

    label: str
    dice: Dice
    duration_s: float
    factors: dict[str, Any]

    def rate_hz(self, slowest: float, fastest: float) -> float:
        """Return the events per second at this clip's tempo, geometric between the two ends and beyond."""
        return float(slowest * (fastest / slowest) ** self.factors["tempo"])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Actor:
    """The input of ``stage`` and ``act``: one moving object.

    Attributes:
        events: Its events, in time order; silent ones when it is a look-alike.
        factors: The clip's factors.
        times_s: Frame times, shape (T,).
        dice: Draws of this actor, for looks.
        silent: Whether it is a look-alike that makes no sound.
        material: The material's look.
        body: Main colour.
        accent: Second colour.
        ground: Colour of the floor, table or wall behind the object.
    """

    events: tuple[Event, ...]
    factors: dict[str, Any]
    times_s: FloatArray
    dice: Dice
    silent: bool
    material: Material
    body: Colour
    accent: Colour
    ground: Colour

    @property
    def size(self) -> float:
        """Size of the object, 0 to 1."""
        return float(self.factors["size"])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Take:
    """The input of ``sound``: a new draw of the timbre for the same events.

    Attributes:
        events: Audible events of this class, in time order.
        factors: The clip's factors.
        duration_s: Length of the clip.
        rate_hz: Sample rate.
        rng: The randomness that the video does not show.
    """

    events: tuple[Event, ...]
    factors: dict[str, Any]
    duration_s: float
    rate_hz: int
    rng: np.random.Generator

    @property
    def n_samples(self) -> int:
        """Number of samples to return."""
        return Clock(self.duration_s).samples(self.rate_hz)

    @property
    def size(self) -> float:
        """Size of the object, 0 to 1."""
        return float(self.factors["size"])

    def onsets_s(self) -> FloatArray:
        """Return the times of the events, shape (n,)."""
        return np.asarray([event.time_s for event in self.events], dtype=np.float64)

    def strengths(self) -> FloatArray:
        """Return the strengths of the events, shape (n,)."""
        return np.asarray([event.strength for event in self.events], dtype=np.float64)

    def column(self, name: str, default: float = 0.0) -> FloatArray:
        """Return one numeric factor of every event, shape (n,)."""
        return np.asarray([event.factors.get(name, default) for event in self.events], dtype=np.float64)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoundClass:
    """One class: the file ``classes/<name>.py`` defines it as ``CLASS``.

    Attributes:
        family: One of the four families.
        kind: Kind of its events.
        description: Sentence on video and audio, for tables.
        materials: Materials of the class, at least three.
        heldout_material: The material that training never shows in this class.
        compose: Writes the events of one actor.
        stage: Draws the parts that do not move.
        act: Draws the parts that move.
        sound: Plays the events: shape (``take.n_samples``,), any level.
        min_gap_s: Smallest distance between two onsets.
        lookalike: Place of a silent look-alike: ``beside`` the actor, ``within`` the same frame, or ``none``.
    """

    family: Family
    kind: Literal["onset", "span"]
    description: str
    materials: tuple[str, ...]
    heldout_material: str
    compose: Callable[[Plan], list[Event]]
    stage: Callable[[Canvas, Actor], None]
    act: Callable[[Canvas, Actor], None]
    sound: Callable[[Take], AudioArray]
    min_gap_s: float = 0.12
    lookalike: Literal["beside", "within", "none"] = "beside"
