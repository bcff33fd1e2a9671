"""Kernel audio distance: ours against kadtk's function on the same rows, in turn, one thread, CPU seconds.

Both find the bandwidth first. kadtk works in float32, we in float64; what either loses by that stands in the last two
columns, against the definition in float64 with every distance taken from the difference of the rows. "With interval"
adds what the interval of 95 % needs, which kadtk does not have.

    OMP_NUM_THREADS=1 python benchmarks/kad_speed.py --peers PEERS
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from metric_cases import functions_of
from scipy.spatial.distance import cdist, pdist

from foleybench.metrics._math.kernel import KernelPool
from foleybench.stats import intervals

Rows = npt.NDArray[np.float64]
Found = TypeVar("Found")
KADTK = "YoonjinXD+kadtk"


def definition(reference: Rows, generated: Rows) -> float:
    """Return the distance as it is defined: every pair's distance by itself, in float64."""
    apart = pdist(reference)
    middle = (len(apart) - 1) // 2  # the lower of two, as torch.median has it
    gamma = 1 / (2 * float(np.partition(apart, middle)[middle]) ** 2 + 1e-8)
    within = np.exp(-gamma * apart**2).mean() + np.exp(-gamma * pdist(generated, "sqeuclidean")).mean()
    return float(100 * (within - 2 * np.exp(-gamma * cdist(reference, generated, "sqeuclidean")).mean()))


def timed(work: Callable[[], Found]) -> tuple[float, Found]:
    """Return CPU seconds and what was found."""
    began = time.process_time()
    value = work()
    return time.process_time() - began, value


def row(n_rows: int, n_dims: int, rounds: int, peer: Callable[[Rows, Rows], float]) -> str:
    """Return a row of the table; every round has rows of its own, since ours keeps what it found for equal ones."""
    pool, spent, errors = KernelPool(), [], (math.nan, math.nan)
    for seed in range(rounds):
        rng = np.random.default_rng([seed, n_rows, n_dims])
        reference, generated = rng.standard_normal((n_rows, n_dims)), 1.1 * rng.standard_normal((n_rows, n_dims)) + 0.02
        pairs = zip(reference, generated, strict=True)
        stats = {f"c{k}": {"reference": a[None], "generated": b[None]} for k, (a, b) in enumerate(pairs)}
        listed, sources = list(stats.values()), {name: name for name in stats}
        peer_s, theirs = timed(lambda r=reference, g=generated: peer(r, g))
        value_s, ours = timed(lambda found=listed: pool(found))
        more_s, _ = timed(
            lambda found=stats, of=sources: intervals.value_interval(
                pool, found, of, rng=np.random.default_rng(0), draws=1000
            )
        )
        spent.append((peer_s, value_s, value_s + more_s))
        if seed == rounds - 1:
            true = definition(reference, generated)
            errors = (abs(ours / true - 1), abs(theirs / true - 1))
    peer_s, value_s, whole_s = (statistics.median(found) for found in zip(*spent, strict=True))
    ratio, with_interval = (statistics.median(found[0] / found[k] for found in spent) for k in (1, 2))
    cells = [f"{peer_s:.3f}", f"{value_s:.3f}", f"{ratio:.2f}", f"{whole_s:.3f}", f"{with_interval:.2f}"]
    cells += [f"{errors[0]:.0e}", f"{errors[1]:.0e}"]
    return f"| {n_dims} | {n_rows} | {' | '.join(cells)} |"


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, required=True, metavar="DIR", help=f"has a checkout of kadtk: {KADTK}")
    parser.add_argument("--dims", type=int, nargs="+", default=[128, 768, 2048], help="widths of the embeddings")
    parser.add_argument("--rows", type=int, nargs="+", default=[600, 1500], help="rows of either set")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    args = parser.parse_args()
    path = args.peers / KADTK / "kadtk/kad.py"
    theirs = functions_of(path, "calc_kernel_audio_distance", "median_pairwise_distance")["calc_kernel_audio_distance"]

    def peer(reference: Rows, generated: Rows) -> float:
        return float(theirs(torch.from_numpy(generated), torch.from_numpy(reference), (None, None), "cpu"))

    print("| d | rows | kadtk s | ours s | ratio | ours with interval s | ratio | error of ours | error of kadtk |")
    print("|" + "--:|" * 9)
    for n_dims in args.dims:
        for n_rows in args.rows:
            print(row(n_rows, n_dims, args.rounds, peer), flush=True)


if __name__ == "__main__":
    main()
