"""Compute the kernel audio distance between embeddings, by blocks.

The unbiased squared maximum mean discrepancy with a Gaussian kernel, times 100, in float64. Memory grows with the
number of rows. One pass gives value, corrected value and how the value rests on every clip.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Literal, NamedTuple, TypeVar, cast

import numpy as np

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray, IntArray
from foleybench.metrics._math.median_distance import median_distance
from foleybench.metrics._math.rows import Pair, Rows, fixed_order, pairs_of, sides
from foleybench.metrics._math.squares import Centred, SquaresBlock, WithinSet, spans
from foleybench.stats.influence import Influence

SCALE = 100.0
# Added to 2 * bandwidth^2, as kadtk does.
_EPSILON = 1e-8
# Exponents below it are cut: of infinite ones the exponential takes twice as long.
_LEAST = -700.0

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
        n, m = float(sums.reference.sum()), float(sums.generated.sum())
        within = sums.rr.total / (n * (n - 1)) + sums.gg.total / (m * (m - 1))
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

    def _whole(self, stats: Sequence[Stat], sources: Sequence[str] | None = None) -> _Sums | None:
        """Return the sums over clips, or over videos; None for fewer than two clips and when the bandwidth is 0."""
        if len(stats) < 2:
            return None
        pairs = pairs_of(stats)
        order = fixed_order(pairs)
        pairs = [pairs[index] for index in order]
        found = self._sums(pairs)
        if found is None or sources is None or len(set(sources)) == len(stats):
            return found
        return self._sums(_by_video(pairs, [sources[index] for index in order]), found.bandwidth)

    def _sums(self, pairs: Sequence[Pair], bandwidth: float | None = None) -> _Sums | None:
        """Return the sums with a bandwidth, or with that of the rows; None when it is 0 or a set has under two rows."""
        rows = sides(pairs)
        if min(len(side.values) for side in rows) < 2:
            return None
        keys = [_key(side) for side in rows]
        base = 0 if self.bandwidth_of == "reference" else 1

        def work() -> _Sums | None:
            centre = rows[base].values.mean(axis=0)
            centred = [Centred.of(side.values, centre) for side in rows]
            own = _once(("own", keys[base], bandwidth), lambda: _Own.of(rows[base], centred[base], bandwidth))
            return _Sums.of(rows, centred, own, base) if own.bandwidth else None

        return _once(("sums", base, *keys, bandwidth), work)


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
    mean = part.total / pairs
    kernel = part.first + part.second - part.own
    met = one * two.sum() + two * one.sum() - one * two - selves
    return np.asarray((kernel - mean * met) / pairs, dtype=np.float64)


class _Part(NamedTuple):
    """Sums of the kernel over ordered pairs of rows of two sets; within one set, of two different rows.

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


class _Own(NamedTuple):
    """What only the set decides that gives the bandwidth, and all others compared with it share.

    Attributes:
        bandwidth: The bandwidth; 0 where the rows are equal.
        part: Sums within the set, with that bandwidth.
    """

    bandwidth: float
    part: _Part

    @classmethod
    def of(cls, rows: Rows, centred: Centred, bandwidth: float | None) -> _Own:
        """Take the median distance, unless a bandwidth is given; of a small set each distance is computed once."""
        blocks: Iterable[SquaresBlock]
        if bandwidth is None:
            blocks = WithinSet(centred)
            bandwidth = median_distance(rows.values, blocks)
        else:
            blocks = centred.within()
        return cls(bandwidth, _within(rows, blocks if bandwidth else (), bandwidth))


class _Sums(NamedTuple):
    """Sums of the kernel over all pairs of rows.

    Attributes:
        bandwidth: The bandwidth.
        reference: Number of reference rows of every clip, shape (clips,).
        generated: The same of generated rows.
        rr: Reference with reference.
        gg: Generated with generated.
        rg: Reference with generated.
    """

    bandwidth: float
    reference: FloatArray
    generated: FloatArray
    rr: _Part
    gg: _Part
    rg: _Part

    @classmethod
    def of(cls, rows: tuple[Rows, Rows], centred: Sequence[Centred], own: _Own, base: int) -> _Sums:
        """Sum, block by block, what is not in ``own``, which is that of set 0 or 1."""
        other = 1 - base
        # Around its own centre, which may be far from that of both sets.
        alone = Centred.of(rows[other].values, rows[other].values.mean(axis=0))
        within = {base: own.part, other: _within(rows[other], alone.within(), own.bandwidth)}
        across = _across(*rows, centred[0].across(centred[1]), own.bandwidth)
        n, m = (side.sizes.astype(np.float64) for side in rows)
        return cls(own.bandwidth, n, m, within[0], within[1], across)

    def means(self) -> tuple[tuple[_Part, FloatArray, FloatArray, bool], ...]:
        """Return each part with the numbers of rows of its two sets, and whether they are one set."""
        n, m = self.reference, self.generated
        return (self.rr, n, n, True), (self.gg, m, m, True), (self.rg, n, m, False)


def _within(side: Rows, blocks: Iterable[SquaresBlock], bandwidth: float) -> _Part:
    """Sum over one set with itself; blocks have each pair of rows once."""
    clips = _clips(side)
    sums, own = np.zeros(len(side.sizes)), np.zeros(len(side.sizes))
    for block in blocks:
        found = _summed(block, clips[block.first.start], clips[block.second.start], bandwidth)
        _add(sums, found.first)
        _add(sums, found.second)
        _add(own, found.own, 2.0)
    return _Part(math.fsum(sums), sums, sums, own)


def _across(first: Rows, second: Rows, blocks: Iterable[SquaresBlock], bandwidth: float) -> _Part:
    """Sum over two sets."""
    ones, twos = _clips(first), _clips(second)
    sums, others, own = (np.zeros(len(first.sizes)) for _ in range(3))
    for block in blocks:
        found = _summed(block, ones[block.first.start], twos[block.second.start], bandwidth)
        _add(sums, found.first)
        _add(others, found.second)
        _add(own, found.own)
    return _Part(math.fsum(sums), sums, others, own)


class _Clips(NamedTuple):
    """The clips of the rows of a block, and the place of each one's first row in it, shapes (clips,)."""

    names: IntArray
    firsts: IntArray


def _clips(rows: Rows) -> dict[int, _Clips]:
    """Return the clips of every block of rows, by its first row."""
    clip_of = rows.clip_of
    return {part.start: _Clips(*np.unique(clip_of[part], return_index=True)) for part in spans(len(clip_of))}


class _Summed(NamedTuple):
    """Clips of a block and the sums of each: of the rows' clips, of the columns', and over pairs within one clip."""

    first: tuple[IntArray, FloatArray]
    second: tuple[IntArray, FloatArray]
    own: tuple[IntArray, FloatArray]


def _summed(block: SquaresBlock, one: _Clips, two: _Clips, bandwidth: float) -> _Summed:
    sums = _kernel(block.squares, bandwidth)
    for axis, clips in ((1, two), (0, one)):  # along memory first, which is three times as fast
        if len(clips.names) < sums.shape[axis]:
            sums = np.add.reduceat(sums, clips.firsts, axis=axis)
    both, places, others = np.intersect1d(one.names, two.names, assume_unique=True, return_indices=True)
    return _Summed((one.names, sums.sum(axis=1)), (two.names, sums.sum(axis=0)), (both, sums[places, others]))


def _add(sums: FloatArray, found: tuple[IntArray, FloatArray], times: float = 1.0) -> None:
    clips, values = found
    sums[clips] += times * values


def _kernel(squares: FloatArray, bandwidth: float) -> FloatArray:
    """Return the kernel of squared distances, in their place; 1e-304 for infinite ones, which sums do not notice."""
    squares *= -1.0 / (2 * bandwidth**2 + _EPSILON)
    np.clip(squares, _LEAST, 0.0, out=squares)
    return np.exp(squares, out=squares)


_known: dict[Hashable, object] = {}
# Large enough for hundreds of classes, each with its own value.
_MOST_KNOWN = 2048
# Rows hashed at a time, since they are copied for that.
_HASHED = 1024


def _key(rows: Rows) -> int:
    """Return a number of 64 bits that other rows, or the same ones of other clips, would change."""
    parts = [hash(rows.values[start : start + _HASHED].tobytes()) for start in range(0, len(rows.values), _HASHED)]
    return hash((rows.width, rows.starts.tobytes(), *parts))


def _once(key: Hashable, work: Callable[[], _Known]) -> _Known:
    """Return ``work()``; for a key seen before the earlier result is returned again.

    Value, correction and interval of one metric need the same sums, and all systems against one reference the same
    bandwidth; at 15,000 clips each takes minutes. Only a few numbers are kept, under the hash of the rows.
    """
    if key not in _known:
        found = work()
        if len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)))
        _known[key] = found
    return cast("_Known", _known[key])
