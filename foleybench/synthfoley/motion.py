"""Turn contacts into motion, frame by frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from foleybench.clips import Event, FloatArray, IntArray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Beats:
    """Frames against contacts; every field has shape (T,).

    Attributes:
        index: Contacts so far.
        fraction: Place between the last contact (0) and the next (1). Before the first contact it starts at 0.5.
        gap_s: Time between the two.
        since_s: Time since the last contact; infinite before the first.
        until_s: Time to the next one.
        strength_last: Strength of the last contact; 0 before the first.
        strength_next: Strength of the next one; that of the last when there is no next in the clip.
    """

    index: IntArray
    fraction: FloatArray
    gap_s: FloatArray
    since_s: FloatArray
    until_s: FloatArray
    strength_last: FloatArray
    strength_next: FloatArray

    def flash(self, decay_s: float) -> FloatArray:
        """Return a mark that jumps to the strength at a contact and dies away."""
        return np.asarray(np.exp(-self.since_s / decay_s) * (0.4 + 0.6 * self.strength_last))

    def lift(self, rise_s: float, fall_s: float) -> FloatArray:
        """Return how far a hammer is raised, 0 at each contact, up to 1 between."""
        fall = np.minimum(fall_s, 0.5 * self.gap_s)
        rise = np.minimum(rise_s, 0.5 * self.gap_s)
        up = np.clip(self.since_s / rise, 0.0, 1.0)
        down = np.clip(self.until_s / fall, 0.0, 1.0)
        return np.asarray(np.minimum(np.sin(0.5 * np.pi * up), np.sqrt(down)))


def beats(times_s: FloatArray, events: Sequence[Event]) -> Beats:
    """Place frames between contacts.

    Args:
        times_s: Frame times, shape (T,).
        events: At least one contact in time order; the last one's factor ``next_s`` says when the next would be.
    """
    contacts = np.asarray([event.time_s for event in events])
    strengths = np.asarray([event.strength for event in events])
    edges = np.concatenate([[-contacts[0]], contacts, [events[-1].factors["next_s"]]])
    index = np.searchsorted(contacts, times_s, side="right").astype(np.int64)
    gap = edges[index + 1] - edges[index]
    since = np.where(index > 0, times_s - edges[index], np.inf)
    return Beats(
        index=index,
        fraction=np.clip((times_s - edges[index]) / gap, 0.0, 1.0),
        gap_s=gap,
        since_s=since,
        until_s=np.maximum(edges[index + 1] - times_s, 0.0),
        strength_last=np.concatenate([[0.0], strengths])[index],
        strength_next=np.concatenate([strengths, strengths[-1:]])[index],
    )


def curve_at(events: Sequence[Event], times_s: FloatArray) -> FloatArray:
    """Return the curve of spans at any times: 0 outside the spans, shape of ``times_s``.

    Each span holds its curve, sampled at ``curve_hz`` from its start, in its factors.
    """
    total = np.zeros(np.shape(times_s), dtype=np.float64)
    for event in events:
        values = np.asarray(event.factors["curve"], dtype=np.float64)
        knots = event.time_s + np.arange(len(values)) / event.factors["curve_hz"]
        total += np.interp(times_s, knots, values, left=0.0, right=0.0)
    return total


def travelled(events: Sequence[Event], times_s: npt.NDArray[np.float64]) -> FloatArray:
    """Return the integral of the curve from the start of the clip to each (increasing) time."""
    rate_hz = 200.0
    end_s = float(times_s[-1]) if len(times_s) else 0.0
    grid = np.arange(int(np.ceil(end_s * rate_hz)) + 2) / rate_hz
    speed = curve_at(events, grid)
    path = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1])) / rate_hz])
    return np.asarray(np.interp(times_s, grid, path))
