"""Kernel audio distance: unbiased squared maximum mean discrepancy of two sets of embeddings, in float64, by blocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist

from foleybench.clips import FloatArray
from foleybench.errors import FoleyError
from foleybench.metrics import Metric, Stat
from foleybench.metrics._embedding_distance import rows_if_any
from foleybench.metrics._features import both, finite

SCALE = 100.0
# Added to 2 * bandwidth^2, as kadtk does.
_EPSILON = 1e-8
_BLOCK = 1024
# The bandwidth is a median over pairs; beyond this many rows, of this many taken evenly from the set.
MOST_ROWS_FOR_BANDWIDTH = 20000

Side = Literal["reference", "generated"]


def kernel_distance(reference: FloatArray, generated: FloatArray, bandwidth: float) -> float:
    """Return 100 times the unbiased squared MMD with a Gaussian kernel.

    Args:
        reference: Shape (n, d), n >= 2.
        generated: Shape (m, d), m >= 2.
        bandwidth: Standard deviation of the kernel.

    Returns:
        Around 0 for samples of one distribution, on both sides of it; a set against itself lies a little below 0.

    Raises:
        FoleyError: A value is not finite, the widths differ, or a set has fewer than two rows.
    """
    reference, generated = finite(reference, "the reference set"), finite(generated, "the generated set")
    if reference.ndim != 2 or generated.ndim != 2 or reference.shape[1] != generated.shape[1]:
        raise FoleyError(f"sets of shapes {reference.shape} and {generated.shape}; wanted (n, d) twice.")
    if min(len(reference), len(generated)) < 2:
        raise FoleyError(f"sets of {len(reference)} and {len(generated)} rows; at least 2 are needed.")
    ones = np.ones((1, len(reference))), np.ones((1, len(generated)))
    return float(_values(reference, generated, *ones, bandwidth)[0])


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
    return float(np.partition(distances, middle)[middle])


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
        reference, generated, _ = _stacked(_ordered(stats))
        bandwidth = median_distance(reference if self.bandwidth_of == "reference" else generated)
        return kernel_distance(reference, generated, bandwidth) if bandwidth else float("nan")

    def many(self, stats: Sequence[Stat], counts: npt.NDArray[np.int64]) -> FloatArray:
        """Return the distances of resamples, all with the bandwidth of the set itself.

        Args:
            stats: Statistics of n clips.
            counts: How often each clip occurs in each resample, shape (resamples, n).

        Returns:
            Shape (resamples,).
        """
        order = _order(stats)
        ordered = [stats[index] for index in order]
        reference, generated, sizes = _stacked(ordered)
        bandwidth = median_distance(reference if self.bandwidth_of == "reference" else generated)
        if not bandwidth:
            return np.full(len(counts), np.nan)
        weights = [np.repeat(counts[:, order], size, axis=1).astype(np.float64) for size in sizes]
        return _values(reference, generated, weights[0], weights[1], bandwidth)

    def corrected(self, stats: Sequence[Stat]) -> float:
        """Return the distance without the pairs of rows that belong to the same clip.

        Two sounds of one clip are not independent, as the estimate wants: a system that copies the reference has its
        copies among the cross terms. Without those pairs the reference against itself gives 0.
        """
        if len(stats) < 2:
            return float("nan")
        ordered = _ordered(stats)
        reference, generated, _ = _stacked(ordered)
        bandwidth = median_distance(reference if self.bandwidth_of == "reference" else generated)
        if not bandwidth:
            return float("nan")
        means = {}
        for name, (first, second) in {"rr": (0, 0), "gg": (1, 1), "rg": (0, 1)}.items():
            sets = [(stat["reference"], stat["generated"]) for stat in ordered]
            one, two = (reference, generated)[first], (reference, generated)[second]
            total = float(_sums(one, two, np.ones((1, len(one))), np.ones((1, len(two))), bandwidth)[0])
            within = sum(float(_kernel(pair[first], pair[second], bandwidth).sum()) for pair in sets)
            n_within = sum(len(pair[first]) * len(pair[second]) for pair in sets)
            means[name] = (total - within) / (len(one) * len(two) - n_within)
        return SCALE * (means["rr"] + means["gg"] - 2 * means["rg"])


def kernel_metric(
    *, encoder: str, layer: str, title: str, source: str, bandwidth_of: Side = "reference", minimum_clips: int = 16
) -> Metric:
    """Return the metric that is the kernel distance between the embeddings of all clips' two sounds."""
    pool = KernelPool(bandwidth_of)
    return Metric(
        title=title,
        version=1,
        unit="1",
        better="lower",
        ideal=None,
        source=source,
        needs=both(encoder, layer),
        per_clip=rows_if_any,
        pool=pool,
        corrected=pool.corrected,
        undefined="too few clips, or all embeddings equal",
        minimum_clips=minimum_clips,
    )


def _order(stats: Sequence[Stat]) -> list[int]:
    keys = [(stat["reference"].tobytes(), stat["generated"].tobytes()) for stat in stats]
    return sorted(range(len(stats)), key=lambda index: keys[index])


def _ordered(stats: Sequence[Stat]) -> list[Stat]:
    return [stats[index] for index in _order(stats)]


def _stacked(stats: Sequence[Stat]) -> tuple[FloatArray, FloatArray, tuple[list[int], list[int]]]:
    """Return all reference and all generated rows, and how many of them each clip has."""
    reference, generated = [stat["reference"] for stat in stats], [stat["generated"] for stat in stats]
    sizes = list(map(len, reference)), list(map(len, generated))
    return np.concatenate(reference), np.concatenate(generated), sizes


def _values(
    reference: FloatArray, generated: FloatArray, of_reference: FloatArray, of_generated: FloatArray, bandwidth: float
) -> FloatArray:
    """Distances of weighted sets, weights of shape (resamples, rows): how often each row occurs."""
    n, m = of_reference.sum(axis=1), of_generated.sum(axis=1)
    # Each drawn row meets every other one; the kernel of a row and itself is 1.
    rr = _sums(reference, reference, of_reference, of_reference, bandwidth) - n
    gg = _sums(generated, generated, of_generated, of_generated, bandwidth) - m
    rg = _sums(reference, generated, of_reference, of_generated, bandwidth)
    return np.asarray(SCALE * (rr / (n * (n - 1)) + gg / (m * (m - 1)) - 2 * rg / (n * m)), dtype=np.float64)


def _sums(one: FloatArray, two: FloatArray, of_one: FloatArray, of_two: FloatArray, bandwidth: float) -> FloatArray:
    """Weighted sums over all pairs of rows, shape (resamples,); never more than a block of the kernel in memory."""
    total = np.zeros(len(of_one))
    for start in range(0, len(one), _BLOCK):
        part = slice(start, start + _BLOCK)
        total += np.einsum("ri,ri->r", of_one[:, part] @ _kernel(one[part], two, bandwidth), of_two)
    return total


def _kernel(one: FloatArray, two: FloatArray, bandwidth: float) -> FloatArray:
    squares = np.einsum("ij,ij->i", one, one)[:, None] + np.einsum("ij,ij->i", two, two) - 2 * (one @ two.T)
    return np.asarray(np.exp(-np.maximum(squares, 0.0) / (2 * bandwidth**2 + _EPSILON)), dtype=np.float64)
