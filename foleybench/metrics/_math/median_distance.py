"""Median distance between the rows of a set, by matrix products.

Each distance as a sum of its own takes minutes at 15,000 rows of d >= 768, and all of them take 1.6 GB. Here products
of blocks give every squared distance nearly; only the few that rounding cannot tell from the median are computed as
``scipy.spatial.distance.pdist`` computes them. The value is that of sorting what ``pdist`` returns, to the bit.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import pdist

from foleybench.clips import FloatArray, IntArray
from foleybench.metrics._math.squares import Centred, SquaresBlock, WithinSet

# The median is over pairs; beyond this many rows, of this many taken evenly from the set.
MOST_ROWS = 20000
# Rows at a time when distances are sampled.
_BLOCK = 512
# Where the median lies is guessed from so many pairs; five standard errors of such a guess to either side are searched.
_GUESSED_FROM = 20000
_STANDARD_ERRORS = 5.0
# Pairs that are measured one by one, at most: with more ties at the median, all are measured at once.
_MOST_UNSURE = 1000
# The rounding of a float64.
_UNIT = 2.0**-53


def median_distance(rows: FloatArray, within: WithinSet | None = None) -> float:
    """Return the median distance between two rows, the lower of the two middle ones for an even number of pairs.

    Args:
        rows: Shape (n, d), n >= 2. Of more than 20000 rows, 20000 at even steps are used.
        within: Their squared distances, where they are at hand; they are only read.

    Example:
        >>> median_distance(np.array([[0.0], [1.0], [3.0]]))
        2.0
    """
    if len(rows) > MOST_ROWS:
        rows, within = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).round().astype(np.int64)], None
    rows = np.ascontiguousarray(rows, dtype=np.float64)
    middle = (len(rows) * (len(rows) - 1) // 2 - 1) // 2
    found = _by_products(rows, within or WithinSet(Centred.of(rows, rows.mean(axis=0))), middle)
    if found is not None:
        return found
    distances = pdist(rows)
    distances.partition(middle)  # in place: a copy would double the largest array of an evaluation
    return float(distances[middle])


class _Found(NamedTuple):
    """The pairs whose squared distance lies between two bounds.

    Attributes:
        below: How many pairs lie below them.
        squares: Squared distances between them, as products give them, shape (pairs,).
        first: The row of each that comes first, shape (pairs,).
        second: The other.
    """

    below: int
    squares: FloatArray
    first: IntArray
    second: IntArray


def _by_products(rows: FloatArray, within: WithinSet, middle: int) -> float | None:
    """Return the distance at a place among the sorted ones; None when the search missed it or there are many ties."""
    # No squared distance, by product or by pdist, is further than this from the true one: d + 2 roundings in a product
    # (with the norms in it), d + 1 in pdist and 2 of centring, of at most (|a| + |b|)^2 each; half as much again.
    error = 1.5 * (len(rows[0]) + 4) * _UNIT * 4.0 * float(within.rows.norms.max())
    if not np.isfinite(error):
        return None
    low, high = _guess(within, middle)
    if high - low <= 8 * error:
        return None
    found = _between(within, low, high)
    place = middle - found.below
    if not 0 <= place < len(found.squares):
        return None
    # Two ways of computing move a place in the order by their two errors at most, a pair by as much again.
    centre = float(np.partition(found.squares, place)[place])
    if centre - 4 * error < low or centre + 4 * error > high:
        return None
    unsure = np.flatnonzero(np.abs(found.squares - centre) <= 4 * error)
    if len(unsure) > _MOST_UNSURE:
        return None
    surely_below = found.below + int(np.count_nonzero(found.squares < centre - 4 * error))
    exact = np.sort([float(pdist(rows[[found.first[i], found.second[i]]])[0]) for i in unsure])
    return float(exact[middle - surely_below])


def _guess(within: WithinSet, middle: int) -> tuple[float, float]:
    """Return two bounds of a squared distance by its place, from some pairs."""
    n = len(within.rows.norms)
    n_pairs = n * (n - 1) // 2
    rng = np.random.default_rng(0)
    squares = _drawn(within.kept, rng) if within.kept else _measured(within.rows.values, rng)
    share, width = middle / n_pairs, _STANDARD_ERRORS * 0.5 / max(len(squares), 1) ** 0.5
    if width > 0.25:  # few pairs: all of them are searched
        return -sys.float_info.max, sys.float_info.max
    low, high = np.quantile(squares, [max(share - width, 0.0), min(share + width, 1.0)])
    return float(low), float(high)


def _drawn(blocks: list[SquaresBlock], rng: np.random.Generator) -> FloatArray:
    """Take every 64th distance of a set, on average, from where they are kept."""
    drawn = [block.squares.ravel()[rng.integers(block.squares.size, size=block.squares.size // 64)] for block in blocks]
    squares = np.concatenate(drawn)
    return np.asarray(squares[np.isfinite(squares)], dtype=np.float64)


def _measured(centred: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Compute the distances of some pairs of a large set."""
    n = len(centred)
    first, gap = rng.integers(n, size=_GUESSED_FROM), rng.integers(1, n, size=_GUESSED_FROM)
    squares = np.empty(_GUESSED_FROM)
    for start in range(0, _GUESSED_FROM, _BLOCK):
        part = slice(start, start + _BLOCK)
        apart = centred[first[part]] - centred[(first[part] + gap[part]) % n]
        squares[part] = np.einsum("ij,ij->i", apart, apart)
    return squares


def _between(within: WithinSet, low: float, high: float) -> _Found:
    """Find the pairs between two squared distances, block by block of the rows."""
    below = 0
    parts: list[tuple[FloatArray, IntArray, IntArray]] = []
    for one, two, squares in within:
        below += int(np.count_nonzero(squares < low))
        places = np.flatnonzero((squares >= low) & (squares <= high))  # in one dimension, ten times as fast as in two
        first, second = np.divmod(places, squares.shape[1])
        parts.append((squares.ravel()[places], first + one.start, second + two.start))
    squares, first, second = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _Found(below, squares, first, second)
