"""Compute onset scores as CondFoleyGen's and MMAudio's scripts do.

For parity only, habits included: a greedy suppression that walks a list while it shortens it, and so can skip a
neighbour; no more misses are counted once all detected onsets are used up; missed onsets rank last and cost no
precision, so that silence, which has no false onset, gets 1.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from foleybench.clips import FloatArray

RATE_HZ = 22050
_APART_S = 0.05


class Onsets(NamedTuple):
    """Detected onsets of generated audio.

    Attributes:
        samples: Positions, increasing, shape (n,).
        height: Value that decides between candidates for one reference onset, shape (n,).
        confidence: Value that ranks onsets, shape (n,).
    """

    samples: FloatArray
    height: FloatArray
    confidence: FloatArray


class Scores(NamedTuple):
    """Scores of one clip."""

    accuracy: float
    ap: float
    f1: float


@dataclasses.dataclass(frozen=True)
class Habits:
    """The differences between the two scripts.

    Attributes:
        tolerance_s: A pair must be closer than this.
        stale_height: Whether candidates are looked up among all onsets instead of the remaining ones (MMAudio), which
            is another onset as soon as one has been used.
    """

    tolerance_s: float
    stale_height: bool


CONDFOLEY = Habits(tolerance_s=0.1, stale_height=False)
MMAUDIO = Habits(tolerance_s=0.3, stale_height=True)


def score(reference: FloatArray, onsets: Onsets, habits: Habits) -> Scores:
    """Return the scores of one clip.

    Args:
        reference: True onsets in samples at 22050 Hz, increasing, shape (n,), n >= 1.
        onsets: Detected onsets, not yet thinned.
        habits: Of which script.
    """
    kept = _thinned(onsets)
    left = list(range(len(kept.samples)))
    labels, ranks = [], []
    hits = 0
    for time in reference:
        near = [k for k, i in enumerate(left) if abs(kept.samples[i] - time) < habits.tolerance_s * RATE_HZ]
        labels.append(1)
        if not near:
            ranks.append(0.0)
            continue
        heights = [kept.height[k if habits.stale_height else left[k]] for k in near]
        chosen = left.pop(near[int(np.argsort(heights)[-1])])
        ranks.append(float(kept.confidence[chosen]))
        hits += 1
        if not left:
            break
    labels += [0] * len(left)
    ranks += [float(kept.confidence[i]) for i in left]
    return Scores(hits / len(reference), average_precision(labels, ranks), _f1(labels, ranks))


def average_precision(labels: list[int], ranks: list[float]) -> float:
    """Return the sum over thresholds of precision times gain in recall; equal ranks share a threshold.

    Example:
        >>> average_precision([1, 0, 1], [0.9, 0.8, 0.7])
        0.8333333333333333
    """
    truth, scores = np.asarray(labels), np.asarray(ranks)
    total, found, value = int(truth.sum()), 0, 0.0
    for threshold in np.unique(scores)[::-1]:
        above = scores >= threshold
        hits = int(truth[above].sum())
        value += (hits - found) / total * hits / int(above.sum())
        found = hits
    return value


def _f1(labels: list[int], ranks: list[float]) -> float:
    """Return the F1 of "above 0" as prediction of the label."""
    said = np.asarray(ranks) > 0
    hits = int(np.asarray(labels)[said].sum())
    return 2.0 * hits / (int(said.sum()) + sum(labels))


def _thinned(onsets: Onsets) -> Onsets:
    """Keep the strongest of onsets within 50 ms of each other, as the scripts do."""
    order = np.argsort(onsets.confidence)[::-1]
    left = list(range(len(onsets.samples)))
    kept = []
    for index in order:
        if index not in left:
            continue
        kept.append(int(index))
        left.remove(index)
        place = 0
        while place < len(left):
            if abs(onsets.samples[left[place]] - onsets.samples[index]) < _APART_S * RATE_HZ:
                left.pop(place)
            place += 1  # also after a removal, which skips the next onset
    chosen = np.asarray(sorted(kept), dtype=np.int64)
    return Onsets(onsets.samples[chosen], onsets.height[chosen], onsets.confidence[chosen])
