"""Median distance between the rows of a set, by matrix products.

Each distance as a sum of its own takes minutes at 15,000 rows of d >= 768, and all of them take 1.6 GB. Here products
of blocks give every squared distance nearly; only the few that rounding cannot tell from the median are computed as
``scipy.spatial.distance.pdist`` computes them. The value is that of sorting what ``pdist`` returns, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist

from foleybench.clips import FloatArray, IntArray

# The median is over pairs; beyond this many rows, of this many taken evenly from the set.
MOST_ROWS = 20000
# Of so few rows all distances are there before a product would be set up.
_FEW_ROWS = 256
# Rows a block: 2 MB of distances.
_BLOCK = 512
# Where the median lies is guessed from so many pairs; five standard errors of such a guess to either side are searched.
_GUESSED_FROM = 20000
_STANDARD_ERRORS = 5.0
# The rounding of a float64.
_UNIT = 2.0**-53


def median_distance(rows: FloatArray) -> float:
    """Return the median distance between two rows, the lower of the two middle ones for an even number of pairs.

    Args:
        rows: Shape (n, d), n >= 2. Of more than 20000 rows, 20000 at even steps are used.

    Example:
        >>> median_distance(np.array([[0.0], [1.0], [3.0]]))
        2.0
    """
    if len(rows) > MOST_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).round().astype(np.int64)]
    rows = np.ascontiguousarray(rows, dtype=np.float64)
    middle = (len(rows) * (len(rows) - 1) // 2 - 1) // 2
    found = _by_products(rows, middle) if len(rows) > _FEW_ROWS else None
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


def _by_products(rows: FloatArray, middle: int) -> float | None:
    """Return the distance at a place among the sorted ones; None when the search missed it."""
    centred = rows - rows.mean(axis=0)
    norms = np.einsum("ij,ij->i", centred, centred)
    # No squared distance, by product or by pdist, is further than this from the true one: d + 2 roundings in a product
    # (with the norms in it), d + 1 in pdist and 2 of centring, of at most (|a| + |b|)^2 each; half as much again.
    error = 1.5 * (len(rows[0]) + 4) * _UNIT * 4.0 * float(norms.max())
    low, high = _guess(centred, middle)
    if not np.isfinite(error) or high - low <= 8 * error:
        return None
    found = _between(centred, norms, low, high)
    place = middle - found.below
    if not 0 <= place < len(found.squares):
        return None
    # Two ways of computing move a place in the order by their two errors at most, a pair by as much again.
    centre = float(np.partition(found.squares, place)[place])
    if centre - 4 * error < low or centre + 4 * error > high:
        return None
    unsure = np.flatnonzero(np.abs(found.squares - centre) <= 4 * error)
    surely_below = found.below + int(np.count_nonzero(found.squares < centre - 4 * error))
    exact = np.sort([float(pdist(rows[[found.first[i], found.second[i]]])[0]) for i in unsure])
    return float(exact[middle - surely_below])


def _guess(centred: FloatArray, middle: int) -> tuple[float, float]:
    """Return two bounds of a squared distance by its place, from some pairs."""
    n = len(centred)
    n_pairs = n * (n - 1) // 2
    n_drawn = min(_GUESSED_FROM, n_pairs // 64)
    rng = np.random.default_rng(0)
    first, gap = rng.integers(n, size=n_drawn), rng.integers(1, n, size=n_drawn)
    squares = np.empty(n_drawn)
    for start in range(0, n_drawn, _BLOCK):
        part = slice(start, start + _BLOCK)
        apart = centred[first[part]] - centred[(first[part] + gap[part]) % n]
        squares[part] = np.einsum("ij,ij->i", apart, apart)
    share, width = middle / n_pairs, _STANDARD_ERRORS * 0.5 / n_drawn**0.5
    low, high = np.quantile(squares, [max(share - width, 0.0), min(share + width, 1.0)])
    return float(low), float(high)


def _between(centred: FloatArray, norms: FloatArray, low: float, high: float) -> _Found:
    """Find the pairs between two squared distances, block by block of the rows."""
    left = np.hstack([-2.0 * centred, norms[:, None], np.ones((len(centred), 1))])
    right = np.hstack([centred, np.ones((len(centred), 1)), norms[:, None]])
    below = 0
    parts: list[tuple[FloatArray, IntArray, IntArray]] = []
    for one, two, squares in _squares(left, right):
        below += int(np.count_nonzero(squares < low))
        first, second = np.nonzero((squares >= low) & (squares <= high))
        parts.append((squares[first, second], first + one, second + two))
    squares, first, second = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _Found(below, squares, first, second)


def _squares(left: FloatArray, right: FloatArray) -> Iterator[tuple[int, int, npt.NDArray[np.float64]]]:
    """Yield where a block of pairs begins, in both rows, and its squared distances; infinite where not a pair."""
    for one in range(0, len(left), _BLOCK):
        for two in range(one, len(right), _BLOCK):
            squares = left[one : one + _BLOCK] @ right[two : two + _BLOCK].T
            if one == two:
                squares[np.tril_indices(len(squares))] = np.inf
            yield one, two, squares
