"""Turn contacts and strokes into motion, frame by frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from foleybench.clips import Event, FloatArray, IntArray
from foleybench.synthfoley.camera import ease
from foleybench.synthfoley.scene import Actor

_BEFORE_S = 0.6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Course:
    """The contacts of one actor with two before the first and two after the end; every array has shape (n,).

    Attributes:
        contact_s: Time of the contact.
        place: Place on the body, -1 to 1.
        soft: Whether the approach comes to rest.
        lift: Highest point of the approach.
        fall_s: Seconds that the approach takes.
        dwell_s: Seconds that the contact lasts.
    """

    contact_s: FloatArray
    place: FloatArray
    soft: FloatArray
    lift: FloatArray
    fall_s: FloatArray
    dwell_s: FloatArray

    def pick(self, first: int, step: int) -> Course:
        """Return every ``step``-th contact from ``first`` on."""
        return Course(**{field.name: getattr(self, field.name)[first::step] for field in dataclasses.fields(self)})

    def index(self, times_s: FloatArray) -> IntArray:
        """Return the last contact before each time; the next one is always there."""
        last = np.searchsorted(self.contact_s, times_s, side="right") - 1
        return np.clip(last, 0, len(self.contact_s) - 2).astype(np.int64)

    def height(self, times_s: FloatArray) -> FloatArray:
        """Return how high something is above contact, in local units.

        The object rebounds when it touched hard and does not lie still, falls with constant acceleration to a hard
        contact (speed 2 lift / fall_s), and comes to rest at a soft one.
        """
        i = self.index(times_s)
        leave_s, arrive_s = self.contact_s[i] + self.dwell_s[i], self.contact_s[i + 1]
        soft = self.soft[i + 1] > 0.5
        air_s = np.maximum(arrive_s - leave_s, 1e-3)
        fall_s = np.minimum(np.where(soft, 0.55 * air_s, self.fall_s[i + 1]), 0.7 * air_s)
        up = np.clip((times_s - leave_s) / (air_s - fall_s), 0.0, 1.0)
        down = np.clip((times_s - arrive_s + fall_s) / fall_s, 0.0, 1.0)
        rebounds = (self.dwell_s[i] <= 0.0) & (self.soft[i] < 0.5)
        rise = np.where(rebounds, np.sin(0.5 * np.pi * up), ease(up))
        fall = np.where(soft, 1.0 - ease(down), 1.0 - down * down)
        return np.asarray(self.lift[i + 1] * np.minimum(rise, fall))

    def across(self, times_s: FloatArray) -> FloatArray:
        """Return the place along the body: it moves from contact to contact while nothing touches."""
        i = self.index(times_s)
        leave_s = self.contact_s[i] + self.dwell_s[i]
        share = ease((times_s - leave_s) / np.maximum(self.contact_s[i + 1] - leave_s, 1e-3))
        return np.asarray(self.place[i] + (self.place[i + 1] - self.place[i]) * share)

    def slide(self, times_s: FloatArray) -> FloatArray:
        """Return -1 at even contacts, 1 at odd ones: it starts late, and arrives at speed 4 / fall_s or at rest."""
        i = self.index(times_s)
        leave_s, arrive_s = self.contact_s[i] + self.dwell_s[i], self.contact_s[i + 1]
        soft = self.soft[i + 1] > 0.5
        air_s = np.maximum(arrive_s - leave_s, 1e-3)
        fall_s = np.minimum(np.where(soft, air_s, self.fall_s[i + 1]), air_s)
        share = np.clip((times_s - arrive_s + fall_s) / fall_s, 0.0, 1.0)
        gone = np.where(soft, ease(share), share * share)
        side = np.where(i % 2 == 0, -1.0, 1.0)
        return np.asarray(side * (1.0 - 2.0 * gone))


def course(actor: Actor, events: Sequence[Event]) -> Course:
    """Return an actor's course from its events and from what follows the end of the clip."""
    known: list[dict[str, Any]] = [event.factors for event in events] + list(actor.extra["after"])
    first = known[0]
    # Two of them, so that each foot has one; event k is row k + 2.
    before = [{**first, "contact_s": -n * _BEFORE_S, "soft": True, "dwell_s": 0.0} for n in (2, 1)]
    rows = [*before, *known]
    columns = {
        field.name: np.asarray([row[field.name] for row in rows], dtype=np.float64)
        for field in dataclasses.fields(Course)
    }
    return Course(**columns)


def to_and_fro(events: Sequence[Event], times_s: FloatArray) -> FloatArray:
    """Return the place of strokes, -1 to 1: right and left in turn, with the speed of their curves."""
    place = np.full(len(times_s), -1.0)
    for k, event in enumerate(events):
        share = np.clip((times_s - event.factors["contact_s"]) / event.factors["whole_s"], 0.0, 1.0)
        place += (2.0 if k % 2 == 0 else -2.0) * (0.5 - 0.5 * np.cos(np.pi * share))
    return place


def lifted(events: Sequence[Event], times_s: FloatArray) -> FloatArray:
    """Return the distance of strokes from touching, 0 to 1, which changes between strokes."""
    return _between(events, times_s, [float(event.factors["off"]) for event in events])


def wandering(events: Sequence[Event], times_s: FloatArray) -> FloatArray:
    """Return the place of strokes on the body, -1 to 1, which changes between strokes."""
    return _between(events, times_s, [float(event.factors["place"]) for event in events])


def turned(events: Sequence[Event], times_s: FloatArray) -> FloatArray:
    """Return how far a wheel has turned: the integral of the curves, in seconds at full speed."""
    grid = np.arange(int(np.ceil(float(times_s[-1]) * 100.0)) + 2) / 100.0
    speed = np.zeros(len(grid))
    for event in events:
        values = np.asarray(event.factors["curve"])
        knots = event.factors["contact_s"] + np.arange(len(values)) / event.factors["curve_hz"]
        speed += np.interp(grid, knots, values, left=0.0, right=0.0)
    path = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1])) / 100.0])
    return np.asarray(np.interp(times_s, grid, path))


def _between(events: Sequence[Event], times_s: FloatArray, values: list[float]) -> FloatArray:
    knots, steps = [], []
    for event, value in zip(events, values, strict=True):
        start_s = event.factors["contact_s"]
        knots += [start_s, start_s + event.factors["whole_s"]]
        steps += [value, value]
    return np.asarray(np.interp(times_s, knots, steps))
