"""Fréchet distance: ours against the peers' ways to the square root of a general matrix, in one run, as ratios.

Two tables. "From statistics" times what av-benchmark, audioldm_eval and the others time in their
``calculate_frechet_distance(mu1, sigma1, mu2, sigma2)``: means and covariances are given. "From rows" adds the means
and covariances of both sets (theirs by ``np.cov``, as they do). Both sides get the same arrays and are timed in turn on
one thread; median CPU seconds over rounds are printed. SciPy 1.18 drops ``sqrtm(disp=)``; without it the result is
the same. torchmetrics takes the eigenvalues of the product in place of its root.

    OMP_NUM_THREADS=1 python benchmarks/frechet_speed.py
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import scipy
import scipy.linalg

from foleybench.metrics._math.frechet import distance_of_normals, frechet_distance

Array = npt.NDArray[np.float64]


def root(product: Array) -> Array:
    """Call ``sqrtm`` as the peers do, as long as SciPy takes that."""
    if tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 18):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found, _ = scipy.linalg.sqrtm(product, disp=False)
    else:
        found = scipy.linalg.sqrtm(product)
    return np.asarray(found)


def peers(first_mean: Array, first: Array, second_mean: Array, second: Array) -> float:
    """Return the distance by the square root of the product of the covariances."""
    gap = first_mean - second_mean
    found = root(first.dot(second))
    return float(gap.dot(gap) + np.trace(first) + np.trace(second) - 2 * np.trace(np.real(found)))


def eigenvalues(first_mean: Array, first: Array, second_mean: Array, second: Array) -> float:
    """Return the distance by the eigenvalues of that product, torchmetrics' way, which needs no square root of it."""
    gap = first_mean - second_mean
    roots = np.sqrt(np.linalg.eigvals(first.dot(second)).astype(complex))
    return float(gap.dot(gap) + np.trace(first) + np.trace(second) - 2 * np.real(roots).sum())


def peers_from_rows(first: Array, second: Array) -> float:
    """Return the same from rows."""
    return peers(*statistics(first), *statistics(second))


def statistics(rows: Array) -> tuple[Array, Array]:
    """Return mean and covariance as the peers compute them."""
    return rows.mean(axis=0), np.cov(rows, rowvar=False)


def compare(ours: Callable[..., float], theirs: Callable[..., float], arrays: tuple[Array, ...], rounds: int) -> str:
    """Time both in turn; return the cells of a table's row."""
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    values = {}
    for _ in range(rounds):
        for name, distance in (("ours", ours), ("theirs", theirs)):
            started = time.process_time()
            values[name] = distance(*arrays)
            seconds[name].append(time.process_time() - started)
    fast, slow = (float(np.median(seconds[name])) for name in ("ours", "theirs"))
    difference = abs(values["ours"] - values["theirs"]) / values["theirs"]
    return f"{fast:.4f} | {slow:.4f} | {slow / fast:.1f} | {difference:.1e} |"


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dims", type=int, nargs="+", default=[128, 768, 2048], help="widths of the embeddings")
    parser.add_argument("--rows", type=int, default=4, help="rows as a multiple of the width (default: 4)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    args = parser.parse_args()
    print(f"numpy {np.__version__}, scipy {scipy.__version__}\n")
    print("| what | d | rows | ours s | peers s | ratio | relative difference |\n|---|--:|--:|--:|--:|--:|--:|")
    for n_dims in args.dims:
        rng = np.random.default_rng(n_dims)
        mix = np.eye(n_dims) + 0.3 * rng.standard_normal((n_dims, n_dims)) / np.sqrt(n_dims)
        first, second = rng.standard_normal((2, args.rows * n_dims, n_dims))
        second = second @ mix + 0.1
        given = (*statistics(first), *statistics(second))
        head = f"{n_dims} | {args.rows * n_dims} |"
        for name, way in (("sqrtm", peers), ("eigenvalues", eigenvalues)):
            cells = compare(distance_of_normals, way, given, args.rounds)
            print(f"| from statistics, against {name} | {head} {cells}", flush=True)
        cells = compare(frechet_distance, peers_from_rows, (first, second), args.rounds)
        print(f"| from rows, against sqrtm | {head} {cells}", flush=True)


if __name__ == "__main__":
    main()
