"""Rank a clip's own reference audio among that of other clips.

Ranks follow the cosine between the mean embeddings of a clip's generated audio and of every clip's real audio. Clips
whose real audio is equal to the last bit count as one clip.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray
from foleybench.metrics._math.rows import Pair, fixed_order, pairs_of
from foleybench.stats.influence import Influence

What = Literal["area", "first"]
# Below this length an embedding has no direction.
_SHORTEST = 1e-8
# Clips whose similarities to all others are in memory at once.
_BLOCK = 512


class _Block(NamedTuple):
    """Some clips against all.

    Attributes:
        places: Positions of the clips, shape (b,).
        other: Whether a clip's real audio differs, shape (b, n).
        won: 1 where the own real audio is nearer than the other's, 0.5 where equally near, shape (b, n).
    """

    places: npt.NDArray[np.int64]
    other: FloatArray
    won: FloatArray


@dataclasses.dataclass(frozen=True)
class RetrievalPool:
    """How well generated audio finds its real audio; NaN for fewer than two clips of different real audio.

    Attributes:
        what: ``area``: the share of other clips whose real audio is farther than the own, ties half, the mean over
            clips (area under the curve, chance 0.5). ``first``: the share of clips whose own real audio is
            nearer than every other one (chance 1 / n).
    """

    what: What

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the value of a set of clips; their order changes no bit."""
        pairs = pairs_of(stats)
        order = fixed_order(pairs)
        found = [self._of_clips(block) for block in _blocks([pairs[index] for index in order])]
        each = [value for values in found for value in values.tolist() if not math.isnan(value)]
        return math.fsum(each) / len(each) if each else math.nan

    def influence(self, stats: Sequence[Stat]) -> Influence:
        """Return the influence of every clip: by its own value, and as one of the other clips' competitors.

        A rank is no smooth function of weights: for ``first`` the value is computed again without each clip in turn.
        """
        pairs, n = pairs_of(stats), len(stats)
        value, weights = self(stats), np.full(n, 1.0 / n)
        change = np.zeros(n)
        kept, hits = np.zeros(n), np.zeros(n)
        for block in _blocks(pairs):
            own, n_others = self._of_clips(block), block.other.sum(axis=1)
            if self.what == "area":
                rest = np.where(n_others > 0, (block.won - own[:, None]) / np.maximum(n_others, 1.0)[:, None], 0.0)
                change[block.places] += np.where(n_others > 0, own - value, 0.0)
                change += np.nansum(block.other * rest, axis=0)
                continue
            # Without clip k: the clips that still have a competitor, and those of them that are found.
            left = n_others[:, None] - block.other
            lost = block.other - (block.won == 1.0)
            stay = (left > 0) & (np.arange(n)[None, :] != block.places[:, None])
            kept += stay.sum(axis=0)
            hits += (stay & (lost.sum(axis=1)[:, None] - lost == 0)).sum(axis=0)
        if self.what == "first":
            change = np.where(kept > 0, value - hits / np.maximum(kept, 1.0), 0.0) * (n - 1)
        return Influence(change / n - weights * change.sum() / n, weights)

    def _of_clips(self, block: _Block) -> FloatArray:
        """Return each clip's value, shape (b,); NaN without another clip."""
        n_others = block.other.sum(axis=1)
        found = block.won.sum(axis=1) / np.maximum(n_others, 1.0)
        if self.what == "first":
            found = ((block.won == 1.0).sum(axis=1) == n_others).astype(np.float64)
        return np.asarray(np.where(n_others > 0, found, np.nan), dtype=np.float64)


def _blocks(pairs: Sequence[Pair]) -> Iterator[_Block]:
    """Yield blocks of clips, given the mean embeddings of each one's real and generated audio, shapes (1, d)."""
    if not pairs:
        return
    reference, generated = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    _, same = np.unique(reference, axis=0, return_inverse=True)
    same = same.reshape(-1)
    real, made = _directions(reference), _directions(generated)
    for start in range(0, len(real), _BLOCK):
        places = np.arange(start, min(start + _BLOCK, len(real)))
        # By einsum, not by a matrix product: equal rows must have equal values at every position.
        near = np.stack([np.einsum("nd,d->n", real, row, optimize=False) for row in made[places]])
        own = near[np.arange(len(places)), places][:, None]
        other = (same[None, :] != same[places][:, None]).astype(np.float64)
        won = other * np.where(own > near, 1.0, np.where(own == near, 0.5, 0.0))
        yield _Block(places, other, won)


def _directions(rows: FloatArray) -> FloatArray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _SHORTEST), dtype=np.float64)
