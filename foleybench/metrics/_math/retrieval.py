"""Is a clip's own real sound nearer than those of other clips?

By the cosine between the mean embeddings of a clip's generated sound and of every clip's real sound. Clips whose real
sound is the same to the last bit are one clip here: none of them is another one to find.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray
from foleybench.metrics._math.rows import fixed_order, pairs_of

What = Literal["area", "first"]
# Below this length an embedding has no direction.
_SHORTEST = 1e-8
# Clips whose similarities to all others are in memory at once.
_BLOCK = 512


class _Block(NamedTuple):
    """Some clips against all.

    Attributes:
        places: Which clips, shape (b,).
        other: Whether a clip is another one, shape (b, n).
        won: 1 where the own real sound is nearer than the other's, 0.5 where it is as near, shape (b, n).
    """

    places: npt.NDArray[np.int64]
    other: FloatArray
    won: FloatArray


@dataclasses.dataclass(frozen=True)
class RetrievalPool:
    """How well real sounds are found by generated ones; NaN for fewer than two different real sounds.

    Attributes:
        what: ``area``: in how many of the pairs of a clip and another one the own real sound is nearer, ties half, the
            mean over clips (area under the curve, chance 0.5). ``first``: the share of clips whose own real sound is
            nearer than every other one (chance 1 / n).
    """

    what: What

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the value of a set of clips; their order changes no bit."""
        return float(self.many(stats, np.ones((1, len(stats)), dtype=np.int64))[0]) if stats else float("nan")

    def many(self, stats: Sequence[Stat], counts: npt.NDArray[np.int64]) -> FloatArray:
        """Return the values of resamples, as ``FastPool.many``."""
        pairs = pairs_of(stats)
        order = fixed_order(pairs)
        weights = counts[:, order].astype(np.float64)
        total, n = np.zeros(len(weights)), np.zeros(len(weights))
        for block in _blocks(*(np.concatenate([pairs[index][side] for index in order]) for side in (0, 1))):
            found, defined = self._found(block, weights)
            own = weights[:, block.places].T * defined
            # Sums of whole clips one after the other: a product of matrices may add in another order elsewhere.
            total += np.add.reduce(own * found, axis=0)
            n += np.add.reduce(own, axis=0)
        return np.asarray(np.where(n > 0, total / np.where(n > 0, n, 1.0), np.nan), dtype=np.float64)

    def _found(self, block: _Block, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return each clip's value in each resample, and whether there is another clip in it, shapes (b, resamples)."""
        n_others = block.other @ weights.T
        defined = (n_others > 0).astype(np.float64)
        if self.what == "area":
            return block.won @ weights.T / np.where(n_others > 0, n_others, 1.0), defined
        lost = (block.other - (block.won == 1.0)) @ weights.T
        return (lost == 0).astype(np.float64), defined


def _blocks(reference: FloatArray, generated: FloatArray) -> Iterator[_Block]:
    """Yield blocks of clips, given the mean embeddings of all real and all generated sounds, shapes (n, d)."""
    _, same = np.unique(reference, axis=0, return_inverse=True)
    same = same.reshape(-1)
    real, made = _directions(reference), _directions(generated)
    for start in range(0, len(real), _BLOCK):
        places = np.arange(start, min(start + _BLOCK, len(real)))
        # By einsum and not by a product of matrices: equal rows must have equal values, wherever they stand.
        near = np.stack([np.einsum("nd,d->n", real, row, optimize=False) for row in made[places]])
        own = near[np.arange(len(places)), places][:, None]
        other = (same[None, :] != same[places][:, None]).astype(np.float64)
        won = other * np.where(own > near, 1.0, np.where(own == near, 0.5, 0.0))
        yield _Block(places, other, won)


def _directions(rows: FloatArray) -> FloatArray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _SHORTEST), dtype=np.float64)
