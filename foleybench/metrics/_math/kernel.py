"""Compute the kernel audio distance between embeddings, by blocks.

The unbiased squared maximum mean discrepancy with a Gaussian kernel, times 100, in float64. Memory grows with the
number of rows. One pass gives value, corrected value and how the value rests on every clip.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray, IntArray
from foleybench.metrics._math.median_distance import median_distance
from foleybench.metrics._math.rows import Pair, Rows, fixed_order, pairs_of, sides
from foleybench.stats.influence import Influence

SCALE = 100.0
# Added to 2 * bandwidth^2, as kadtk does.
_EPSILON = 1e-8
# Rows on either side of the block of the kernel that is in memory: 2 MB.
_BLOCK = 512

Side = Literal["reference", "generated"]
_Known = TypeVar("_Known")


@dataclasses.dataclass(frozen=True)
class KernelPool:
    """The distance between all generated and all reference rows.

    Attributes:
        bandwidth_of: Which set's median distance is the bandwidth.
    """

    bandwidth_of: Side = "reference"

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the distance; NaN for fewer than two clips or when all rows are equal."""
        sums = self._whole(stats)
        if sums is None:
            return float("nan")
        # Each row meets every other one; the kernel of a row and itself is 1.
        n, m = float(sums.reference.sum()), float(sums.generated.sum())
        within = (sums.rr.total - n) / (n * (n - 1)) + (sums.gg.total - m) / (m * (m - 1))
        return float(SCALE * (within - 2 * sums.rg.total / (n * m)))

    def influence(self, stats: Sequence[Stat]) -> Influence:
        """Return the influence of every clip, with the bandwidth of the set itself.

        Rows of one clip count once together, as they would if the clip were drawn once more: a row never meets itself.
        """
        sums = self._whole(stats)
        if sums is None:
            raise ValueError("the distance is undefined, so clips have no influence on it")
        n, m = sums.reference, sums.generated
        own = [_of_mean(part, one, two, same) for part, one, two, same in sums.means()]
        change = SCALE * (own[0] + own[1] - 2 * own[2])
        weights = (n / n.sum() + m / m.sum()) / 2.0
        in_order = np.empty_like(change), np.empty_like(weights)
        order = fixed_order(pairs_of(stats))
        in_order[0][order], in_order[1][order] = change - weights * change.sum(), weights
        return Influence(*in_order)

    def corrected(self, stats: Sequence[Stat], sources: Sequence[str]) -> float:
        """Return the distance without the pairs of rows that belong to the same video.

        Reference and generated audio of one video are not independent, as the estimate assumes, nor are its clips: a
        system that copies the reference has its copies among the cross terms. Without those pairs the reference against
        itself gives 0.

        Args:
            stats: Statistics of the clips.
            sources: For each clip the video that it was cut from.
        """
        if len(set(sources)) < 2:
            return float("nan")
        sums = self._whole(stats, sources)
        if sums is None:
            return float("nan")
        means = [
            (part.total - float(part.own.sum())) / float(one.sum() * two.sum() - one @ two)
            for part, one, two, _ in sums.means()
        ]
        return float(SCALE * (means[0] + means[1] - 2 * means[2]))

    def _bandwidth(self, reference: Rows, generated: Rows) -> float:
        rows = (reference if self.bandwidth_of == "reference" else generated).values
        return _once("bandwidth", (rows,), lambda: median_distance(rows))

    def _whole(self, stats: Sequence[Stat], sources: Sequence[str] | None = None) -> _Sums | None:
        """Return the sums over clips, or over videos; None for fewer than two clips and when the bandwidth is 0."""
        if len(stats) < 2:
            return None
        pairs = pairs_of(stats)
        order = fixed_order(pairs)
        reference, generated = sides([pairs[index] for index in order])
        bandwidth = self._bandwidth(reference, generated)
        if not bandwidth or min(len(reference.values), len(generated.values)) < 2:
            return None
        if sources is not None and len(set(sources)) < len(stats):
            reference, generated = sides(_by_video([pairs[index] for index in order], [sources[i] for i in order]))
        return _once(
            f"sums {bandwidth!r}",
            (reference.values, reference.starts, generated.values, generated.starts),
            lambda: _Sums.of(reference, generated, bandwidth),
        )


def _by_video(pairs: Sequence[Pair], sources: Sequence[str]) -> list[Pair]:
    """Put the rows of each video's clips together, in the order of the videos' first clips."""
    members: dict[str, list[Pair]] = {}
    for pair, source in zip(pairs, sources, strict=True):
        members.setdefault(source, []).append(pair)
    return [(np.concatenate([a for a, _ in own]), np.concatenate([b for _, b in own])) for own in members.values()]


def _of_mean(part: _Part, one: FloatArray, two: FloatArray, same: bool) -> FloatArray:
    """Return the influence of every clip on a mean of the kernel over pairs of rows.

    Args:
        part: The sums.
        one: Number of rows of every clip in the first set, shape (clips,).
        two: The same in the second.
        same: Whether both sets are one, in which no row is paired with itself.
    """
    selves = one if same else np.zeros_like(one)
    pairs = float(one.sum() * two.sum() - selves.sum())
    mean = (part.total - float(selves.sum())) / pairs
    kernel = part.first + part.second - part.own - selves
    met = one * two.sum() + two * one.sum() - one * two - selves
    return np.asarray((kernel - mean * met) / pairs, dtype=np.float64)


class _Block(NamedTuple):
    """Some rows, the clips that they belong to, and where each clip's first row is."""

    values: FloatArray
    clips: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int64]


def _blocks(rows: Rows) -> Iterator[_Block]:
    clip_of = rows.clip_of
    for start in range(0, len(rows.values), _BLOCK):
        clips, firsts = np.unique(clip_of[start : start + _BLOCK], return_index=True)
        yield _Block(rows.values[start : start + _BLOCK], clips, firsts)


class _Part(NamedTuple):
    """Sums of the kernel over pairs of rows of two sets.

    Attributes:
        total: Sum over all pairs.
        first: Sums over the pairs of each clip's rows in the first set, shape (clips,).
        second: The same of the second set; equal to ``first`` where both are one set.
        own: Sums over the pairs within each clip, shape (clips,).
    """

    total: float
    first: FloatArray
    second: FloatArray
    own: FloatArray


class _Sums(NamedTuple):
    """Sums of the kernel over all pairs of rows.

    Attributes:
        reference: Number of reference rows of every clip, shape (clips,).
        generated: The same of generated rows.
        rr: Reference with reference.
        gg: Generated with generated.
        rg: Reference with generated.
    """

    reference: FloatArray
    generated: FloatArray
    rr: _Part
    gg: _Part
    rg: _Part

    @classmethod
    def of(cls, reference: Rows, generated: Rows, bandwidth: float) -> _Sums:
        """Sum, block by block."""
        return cls(
            reference.sizes.astype(np.float64),
            generated.sizes.astype(np.float64),
            _within(reference, bandwidth),
            _within(generated, bandwidth),
            _across(reference, generated, bandwidth),
        )

    def means(self) -> tuple[tuple[_Part, FloatArray, FloatArray, bool], ...]:
        """Return each part with the numbers of rows of its two sets, and whether they are one set."""
        n, m = self.reference, self.generated
        return (self.rr, n, n, True), (self.gg, m, m, True), (self.rg, n, m, False)


def _within(side: Rows, bandwidth: float) -> _Part:
    """Sum over one set with itself: the kernel is symmetric, so each pair of blocks is computed once."""
    blocks = list(_blocks(side))
    sums, own = np.zeros(len(side.sizes)), np.zeros(len(side.sizes))
    for index, one in enumerate(blocks):
        for two in blocks[index:]:
            found = _between(one, two, bandwidth)
            _add(sums, one, found.first)
            if two is not one:
                _add(sums, two, found.second)
            _add_own(own, found, 1.0 if two is one else 2.0)
    return _Part(math.fsum(sums), sums, sums, own)


def _across(first: Rows, second: Rows, bandwidth: float) -> _Part:
    """Sum over two sets."""
    sums, others, own = (np.zeros(len(first.sizes)) for _ in range(3))
    for one in _blocks(first):
        for two in _blocks(second):
            found = _between(one, two, bandwidth)
            _add(sums, one, found.first)
            _add(others, two, found.second)
            _add_own(own, found, 1.0)
    return _Part(math.fsum(sums), sums, others, own)


class _Between(NamedTuple):
    """Sums over two blocks: per clip of the first, per clip of the second, and per clip that is in both."""

    first: FloatArray
    second: FloatArray
    both: IntArray
    own: FloatArray


def _between(one: _Block, two: _Block, bandwidth: float) -> _Between:
    sums = _kernel(one.values, two.values, bandwidth)
    for axis, block in ((1, two), (0, one)):  # along memory first, which is three times as fast
        if len(block.clips) < len(block.values):
            sums = np.add.reduceat(sums, block.firsts, axis=axis)
    both, places, others = np.intersect1d(one.clips, two.clips, assume_unique=True, return_indices=True)
    return _Between(sums.sum(axis=1), sums.sum(axis=0), both, sums[places, others])


def _add(sums: FloatArray, block: _Block, found: FloatArray) -> None:
    sums[block.clips] += found


def _add_own(own: FloatArray, found: _Between, times: float) -> None:
    own[found.both] += times * found.own


def _kernel(one: FloatArray, two: FloatArray, bandwidth: float) -> FloatArray:
    """Kernel of all pairs; the squared norms ride along in the product, which saves passes over the result."""
    scale = 2 * bandwidth**2 + _EPSILON
    norms = [-np.einsum("ij,ij->i", rows, rows)[:, None] / scale for rows in (one, two)]
    left = np.hstack([one * (2 / scale), norms[0], np.ones((len(one), 1))])
    right = np.hstack([two, np.ones((len(two), 1)), norms[1]])
    exponents = left @ right.T
    np.minimum(exponents, 0.0, out=exponents)
    return np.asarray(np.exp(exponents, out=exponents), dtype=np.float64)


_known: dict[bytes, object] = {}
# Large enough for hundreds of classes, each with its own value.
_MOST_KNOWN = 2048


def _once(what: str, arrays: Sequence[npt.NDArray[np.generic]], work: Callable[[], _Known]) -> _Known:
    """Return ``work`` of the arrays; for equal bytes the earlier result is returned again.

    Value, correction and interval of one metric need the same sums, and all systems against one reference the same
    bandwidth; at 15,000 clips each takes minutes. Only a few numbers are kept, under the hash of the arrays.
    """
    digest = hashlib.blake2b(what.encode(), digest_size=16)
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    key = digest.digest()
    if key not in _known:
        if len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)))
        _known[key] = work()
    return cast("_Known", _known[key])
