"""Stack the embeddings of clips as rows, clip by clip."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray, IntArray

Pair = tuple[FloatArray, FloatArray]


@dataclasses.dataclass(frozen=True)
class Rows:
    """The rows of one side, reference or generated.

    Attributes:
        values: Shape (n, d), float64.
        starts: First row of each clip, then the number of rows, shape (clips + 1,).
    """

    values: FloatArray
    starts: IntArray

    @classmethod
    def of(cls, clips: Sequence[FloatArray]) -> Rows:
        """Put the rows of clips together, shapes (n_i, d)."""
        starts = np.cumsum([0, *(len(rows) for rows in clips)], dtype=np.int64)
        return cls(np.concatenate(clips).astype(np.float64, copy=False), starts)

    @property
    def width(self) -> int:
        """The number of dimensions."""
        return int(self.values.shape[1])

    @property
    def sizes(self) -> IntArray:
        """The number of rows of each clip, shape (clips,)."""
        return np.diff(self.starts)

    @property
    def clip_of(self) -> IntArray:
        """The clip index of each row, shape (n,), never falling."""
        return np.repeat(np.arange(len(self.starts) - 1), self.sizes)

    def per_clip(self, numbers: FloatArray) -> FloatArray:
        """Sum a number a row (n,) over each clip, (clips,)."""
        sums = np.concatenate([[0.0], np.cumsum(numbers)])
        return np.asarray(sums[self.starts[1:]] - sums[self.starts[:-1]], dtype=np.float64)


def sides(pairs: Sequence[Pair]) -> tuple[Rows, Rows]:
    """Return all reference and all generated rows of clips."""
    return Rows.of([reference for reference, _ in pairs]), Rows.of([generated for _, generated in pairs])


def pairs_of(stats: Sequence[Stat]) -> list[Pair]:
    """Return each clip's reference and generated rows, shapes (n_i, d) and (m_i, d)."""
    return [(stat["reference"], stat["generated"]) for stat in stats]


def in_fixed_order(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the clips sorted by their values, so that their order cannot change the last bit of a sum."""
    return [pairs[index] for index in fixed_order(pairs)]


def fixed_order(pairs: Sequence[Pair]) -> list[int]:
    """Return the places of the clips in the order of their values."""
    ordered: list[int] = []
    # The first values distinguish clips; all values at once would be a copy of the whole set.
    starts = [pair[0][:1, :8].tobytes() for pair in pairs]
    for _, group in itertools.groupby(sorted(range(len(pairs)), key=starts.__getitem__), key=starts.__getitem__):
        alike = list(group)
        if len(alike) > 1:
            alike.sort(key=lambda index: (pairs[index][0].tobytes(), pairs[index][1].tobytes()))
        ordered += alike
    return ordered
