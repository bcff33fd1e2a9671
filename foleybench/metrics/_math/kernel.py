"""Kernel audio distance between two sets of embeddings, by blocks.

The unbiased squared maximum mean discrepancy with a Gaussian kernel, times 100, in float64. Memory grows with the
number of rows, except for the median, which holds the distances of all pairs of at most 20000 rows (1.6 GB). Rows of
one clip are drawn together, so resampling works on sums over the pairs of rows of two clips.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray
from foleybench.metrics._math.rows import Rows, fixed_order, in_fixed_order, pairs_of, sides

SCALE = 100.0
# Added to 2 * bandwidth^2, as kadtk does.
_EPSILON = 1e-8
# Rows on either side of the part of the kernel that is in memory: 2 MB.
_BLOCK = 512
# The bandwidth is a median over pairs; beyond this many rows, of this many taken evenly from the set.
MOST_ROWS_FOR_BANDWIDTH = 20000

Side = Literal["reference", "generated"]
_Known = TypeVar("_Known")


def median_distance(rows: FloatArray) -> float:
    """Return the median distance between two rows, the lower of the two middle ones for an even number of pairs.

    Args:
        rows: Shape (n, d), n >= 2. Of more than 20000 rows, 20000 at even steps are used.

    Example:
        >>> median_distance(np.array([[0.0], [1.0], [3.0]]))
        2.0
    """
    if len(rows) > MOST_ROWS_FOR_BANDWIDTH:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS_FOR_BANDWIDTH).round().astype(np.int64)]
    distances = pdist(rows)
    middle = (len(distances) - 1) // 2
    distances.partition(middle)  # in place: a copy would double the largest array of an evaluation
    return float(distances[middle])


@dataclasses.dataclass(frozen=True)
class KernelPool:
    """The distance between all generated and all reference rows.

    Attributes:
        bandwidth_of: Which set's median distance is the bandwidth.
    """

    bandwidth_of: Side = "reference"

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the distance; NaN for fewer than two clips or when all rows are equal."""
        if len(stats) < 2:
            return float("nan")
        reference, generated = _sides(stats)
        whole = self._whole(reference, generated)
        return float(whole.distances(len(reference.values), len(generated.values))[0]) if whole else float("nan")

    def many(self, stats: Sequence[Stat], counts: npt.NDArray[np.int64]) -> FloatArray:
        """Return the distances of resamples, as ``FastPool.many``, all with the bandwidth of the set itself."""
        pairs = pairs_of(stats)
        order = fixed_order(pairs)
        reference, generated = sides([pairs[index] for index in order])
        bandwidth = self._bandwidth(reference, generated)
        if not bandwidth:
            return np.full(len(counts), np.nan)
        weights = counts[:, order].astype(np.float64)
        n, m = weights @ reference.sizes, weights @ generated.sizes
        return _Sums.of(reference, generated, weights, bandwidth).distances(n, m)

    def corrected(self, stats: Sequence[Stat]) -> float:
        """Return the distance without the pairs of rows that belong to the same clip.

        Reference and generated audio of one clip are not independent, as the estimate wants: a system that copies the
        reference has its copies among the cross terms. Without those pairs the reference against itself gives 0.
        """
        if len(stats) < 2:
            return float("nan")
        reference, generated = _sides(stats)
        whole = self._whole(reference, generated)
        if whole is None:
            return float("nan")
        n, m = reference.sizes.astype(np.float64), generated.sizes.astype(np.float64)
        means = [
            (float(all_pairs[0]) - within) / (one.sum() * two.sum() - one @ two)
            for (all_pairs, within), one, two in ((whole.rr, n, n), (whole.gg, m, m), (whole.rg, n, m))
        ]
        return float(SCALE * (means[0] + means[1] - 2 * means[2]))

    def _bandwidth(self, reference: Rows, generated: Rows) -> float:
        rows = (reference if self.bandwidth_of == "reference" else generated).values
        return _once("bandwidth", (rows,), lambda: median_distance(rows))

    def _whole(self, reference: Rows, generated: Rows) -> _Sums | None:
        """Return the sums over the set itself, each clip once; None when the bandwidth is 0."""
        bandwidth = self._bandwidth(reference, generated)
        if not bandwidth:
            return None
        return _once(
            f"sums {bandwidth!r}",
            (reference.values, reference.starts, generated.values, generated.starts),
            lambda: _Sums.of(reference, generated, np.ones((1, len(reference.sizes))), bandwidth),
        )


def _sides(stats: Sequence[Stat]) -> tuple[Rows, Rows]:
    return sides(in_fixed_order(pairs_of(stats)))


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


class _Sums(NamedTuple):
    """Weighted sums of the kernel over all pairs of rows, shape (resamples,), and unweighted over those of one clip.

    Attributes:
        rr: Reference with reference.
        gg: Generated with generated.
        rg: Reference with generated.
    """

    rr: tuple[FloatArray, float]
    gg: tuple[FloatArray, float]
    rg: tuple[FloatArray, float]

    @classmethod
    def of(cls, reference: Rows, generated: Rows, weights: FloatArray, bandwidth: float) -> _Sums:
        """Sum; weights of shape (resamples, clips) say how often each clip occurs."""
        return cls(
            _within(reference, weights, bandwidth),
            _within(generated, weights, bandwidth),
            _across(reference, generated, weights, bandwidth),
        )

    def distances(self, n: FloatArray | int, m: FloatArray | int) -> FloatArray:
        """Return the distances of weighted sets of n and m rows; NaN where one has fewer than two."""
        n, m = (np.where(np.greater(size, 1), size, np.nan) for size in (n, m))
        # Each drawn row meets every other one; the kernel of a row and itself is 1.
        rr, gg = (self.rr[0] - n) / (n * (n - 1)), (self.gg[0] - m) / (m * (m - 1))
        return np.asarray(SCALE * (rr + gg - 2 * self.rg[0] / (n * m)), dtype=np.float64)


def _within(side: Rows, weights: FloatArray, bandwidth: float) -> tuple[FloatArray, float]:
    """Sum over one set with itself: the kernel is symmetric, so each pair of blocks is looked at once."""
    total, own = np.zeros(len(weights)), 0.0
    blocks = list(_blocks(side))
    for index, one in enumerate(blocks):
        for two in blocks[index:]:
            part, of_one_clip = _between(one, two, weights, bandwidth)
            times = 1.0 if two is one else 2.0
            total += times * part
            own += times * of_one_clip
    return total, own


def _across(first: Rows, second: Rows, weights: FloatArray, bandwidth: float) -> tuple[FloatArray, float]:
    """Sum over two sets."""
    total, own = np.zeros(len(weights)), 0.0
    for one in _blocks(first):
        for two in _blocks(second):
            part, of_one_clip = _between(one, two, weights, bandwidth)
            total += part
            own += of_one_clip
    return total, own


def _between(one: _Block, two: _Block, weights: FloatArray, bandwidth: float) -> tuple[FloatArray, float]:
    sums = _kernel(one.values, two.values, bandwidth)
    for axis, block in ((1, two), (0, one)):  # along memory first, which is three times as fast
        if len(block.clips) < len(block.values):
            sums = np.add.reduceat(sums, block.firsts, axis=axis)
    _, places, others = np.intersect1d(one.clips, two.clips, assume_unique=True, return_indices=True)
    total = np.einsum("ri,ri->r", weights[:, one.clips] @ sums, weights[:, two.clips])
    return total, float(sums[places, others].sum())


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
# A data set has hundreds of classes, and each has a value of its own.
_MOST_KNOWN = 2048


def _once(what: str, arrays: Sequence[npt.NDArray[np.generic]], work: Callable[[], _Known]) -> _Known:
    """Return what ``work`` makes of the arrays; for the same bytes again, without doing it again.

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
