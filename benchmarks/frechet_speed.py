"""Fréchet distance: ours against the square root of a general matrix as the peers call it, in one run, as ratios.

Both get the same rows and are timed in turn, covariances included; median CPU seconds over rounds are printed.

    python benchmarks/frechet_speed.py
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import numpy.typing as npt
import scipy.linalg

from foleybench.metrics._frechet import frechet_distance

Rows = npt.NDArray[np.float64]


def by_square_root(first: Rows, second: Rows) -> float:
    """Return the distance by ``scipy.linalg.sqrtm`` of the product of the covariances."""
    gap = first.mean(axis=0) - second.mean(axis=0)
    one, two = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = scipy.linalg.sqrtm(one @ two)
    return float(gap @ gap + np.trace(one) + np.trace(two) - 2 * np.trace(root).real)


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dims", type=int, nargs="+", default=[32, 128, 768, 2048], help="widths of the embeddings")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    args = parser.parse_args()
    print("| d | rows | ours s | sqrtm s | ratio | relative difference |\n|--:|--:|--:|--:|--:|--:|")
    for n_dims in args.dims:
        rng = np.random.default_rng(n_dims)
        mix = np.eye(n_dims) + 0.3 * rng.standard_normal((n_dims, n_dims)) / np.sqrt(n_dims)
        first, second = rng.standard_normal((2, 4 * n_dims, n_dims))
        second = second @ mix + 0.1
        seconds: dict[str, list[float]] = {"ours": [], "sqrtm": []}
        values = {}
        for _ in range(args.rounds):
            for name, distance in (("ours", frechet_distance), ("sqrtm", by_square_root)):
                started = time.process_time()
                values[name] = distance(first, second)
                seconds[name].append(time.process_time() - started)
        ours, theirs = (float(np.median(seconds[name])) for name in ("ours", "sqrtm"))
        difference = abs(values["ours"] - values["sqrtm"]) / values["sqrtm"]
        print(f"| {n_dims} | {4 * n_dims} | {ours:.4f} | {theirs:.4f} | {theirs / ours:.1f} | {difference:.1e} |")


if __name__ == "__main__":
    main()
