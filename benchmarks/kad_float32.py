"""What float32 products would cost the kernel distance: its error beside an interval's width.

Rows are centred in float64, multiplied in float32, and every sum and exponential is in float64. "Width" is that of an
interval of 95 % from the clips' influence.

    OMP_NUM_THREADS=1 python benchmarks/kad_float32.py
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

from foleybench.metrics._math.kernel import SCALE, KernelPool
from foleybench.metrics._math.median_distance import median_distance

Rows = npt.NDArray[np.float64]
KINDS = ("gaussian", "offset 1e3", "one law", "nearly the same", "duplicates", "heavy tails")


def made(kind: str, n_rows: int, n_dims: int) -> tuple[Rows, Rows]:
    """Return reference and generated rows of a kind, shapes (n, d)."""
    rng = np.random.default_rng([n_rows, n_dims])
    one, two = rng.standard_normal((2, n_rows, n_dims))
    if kind == "heavy tails":
        one, two = rng.standard_t(2, (2, n_rows, n_dims))
    if kind == "one law":
        return one, two
    if kind == "nearly the same":
        return one, one + 1e-3 * two
    two = 1.1 * two + 0.02
    if kind == "duplicates":
        one = one[rng.integers(n_rows // 2, size=n_rows)]
        two[::2] = one[::2]
    return (one + 1e3, two + 1e3) if kind == "offset 1e3" else (one, two)


def in_float32(reference: Rows, generated: Rows) -> float:
    """Return the distance from products in float32."""
    scale, centre = 2 * median_distance(reference) ** 2 + 1e-8, reference.mean(axis=0)
    one, two = (np.asarray(rows - centre, dtype=np.float32) for rows in (reference, generated))
    within = [np.triu(_kernel(rows, rows, scale), 1).sum() / (len(rows) * (len(rows) - 1) / 2) for rows in (one, two)]
    return float(SCALE * (sum(within) - 2 * _kernel(one, two, scale).mean()))


def _kernel(one: npt.NDArray[np.float32], two: npt.NDArray[np.float32], scale: float) -> Rows:
    norms = [np.square(rows.astype(np.float64)).sum(axis=1) for rows in (one, two)]
    squares = np.add.outer(*norms) - 2 * (one @ two.T).astype(np.float64)
    return np.asarray(np.exp(np.minimum(squares / -scale, 0.0)), dtype=np.float64)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dims", type=int, nargs="+", default=[128, 768, 2048], help="widths of the embeddings")
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 600, 1500], help="rows of either set")
    args = parser.parse_args()
    print("| kind | d | rows | value | width | error | error / width |\n|---|" + "--:|" * 6)
    for kind in KINDS:
        for n_dims in args.dims:
            for n_rows in args.rows:
                reference, generated = made(kind, n_rows, n_dims)
                pairs = zip(reference, generated, strict=True)
                stats = [{"reference": a[None], "generated": b[None]} for a, b in pairs]
                value = KernelPool()(stats)
                width = 2 * 1.96 * float(np.sqrt(np.square(KernelPool().influence(stats).change).sum()))
                error = abs(in_float32(reference, generated) - value)
                cells = f"{value:.4f} | {width:.1e} | {error:.0e} | {error / width:.0e}"
                print(f"| {kind} | {n_dims} | {n_rows} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
