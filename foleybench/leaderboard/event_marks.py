"""Make and pair the event marks of the listening page."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from foleybench.clips import Clip, FloatArray

TOLERANCE_S = 0.05
# Differences of seconds are exact only to rounding: a pair at exactly the tolerance shall match.
_SLACK_S = 1e-9


class Mark(NamedTuple):
    """One time with whether it has a partner on the other side."""

    time_s: float
    matched: bool


class Marks(NamedTuple):
    """The marks of one audio track.

    Attributes:
        wanted: Times of events; a mark without a partner is a miss.
        found: Times of detected onsets; a mark without a partner is surplus.
        pairs: Times of partners, wanted first.
    """

    wanted: tuple[Mark, ...]
    found: tuple[Mark, ...]
    pairs: tuple[tuple[float, float], ...]


def wanted_times_s(clip: Clip) -> FloatArray | None:
    """Return when the clip's audible onset events start, increasing, or None when the data set does not know."""
    if clip.events is None:
        return None
    return np.sort(np.array([e.time_s for e in clip.events if e.kind == "onset" and e.audible], dtype=np.float64))


def match_onsets(wanted_s: FloatArray, found_s: FloatArray, tolerance_s: float = TOLERANCE_S) -> Marks:
    """Pair two lists of times one to one, as event F1 does: the earliest two that fit.

    Args:
        wanted_s: Increasing, shape (n,).
        found_s: Increasing, shape (m,).
        tolerance_s: Largest distance of a pair.

    Example:
        >>> match_onsets(np.array([1.0, 2.0]), np.array([1.04, 3.0])).pairs
        ((1.0, 1.04),)
    """
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(wanted_s) and j < len(found_s):
        gap = found_s[j] - wanted_s[i]
        if abs(gap) <= tolerance_s + _SLACK_S:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif gap > 0:
            i += 1
        else:
            j += 1
    hit, used = {i for i, _ in pairs}, {j for _, j in pairs}
    return Marks(
        tuple(Mark(float(t), i in hit) for i, t in enumerate(wanted_s)),
        tuple(Mark(float(t), j in used) for j, t in enumerate(found_s)),
        tuple((float(wanted_s[i]), float(found_s[j])) for i, j in pairs),
    )
