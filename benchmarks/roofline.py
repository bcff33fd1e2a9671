"""What one core of this machine can do: sums a second in products and convolutions, bytes a second through memory.

Speeds in other tables are to be read against these: no implementation of the same sums is faster. One thread, CPU
seconds, the best of several rounds.

    OMP_NUM_THREADS=1 python benchmarks/roofline.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import scipy.linalg
import torch
from torch.nn import functional as F

ROUNDS, SIDE, HALF = 7, 2048, 768


def best(work: Callable[[], object]) -> float:
    """Return the least CPU seconds of some rounds, after one that is not counted."""
    taken = []
    for _ in range(ROUNDS + 1):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken[1:])


@torch.inference_mode()
def measure() -> dict[str, tuple[float, str]]:
    """Return what was measured, by name: the number and its unit."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    double, single = rng.standard_normal((SIDE, SIDE)), torch.randn(SIDE, SIDE)
    maps, weight = torch.randn(10, 128, 48, 32), torch.randn(256, 128, 3, 3)
    symmetric = double[:HALF, :HALF] + double[:HALF, :HALF].T
    memory = np.zeros(1 << 25)  # 268 MB, more than caches hold
    rates = {
        f"product of {SIDE} x {SIDE} matrices, float32": (2e-9 * SIDE**3 / best(lambda: single @ single), "GFLOP/s"),
        f"product of {SIDE} x {SIDE} matrices, float64": (2e-9 * SIDE**3 / best(lambda: double @ double), "GFLOP/s"),
        "convolution 3 x 3, 128 to 256 channels, float32": (
            2e-9 * maps[:, 0].numel() * weight.numel() / best(lambda: F.conv2d(maps, weight, padding=1)),
            "GFLOP/s",
        ),
        f"eigenvalues of a symmetric {HALF} x {HALF} matrix, float64": (
            1000 * best(lambda: scipy.linalg.eigvalsh(symmetric)),
            "CPU ms",
        ),
        "memory, read and written in place": (
            2e-9 * memory.nbytes / best(lambda: np.add(memory, 1, out=memory)),
            "GB/s",
        ),
    }
    return rates


def main() -> None:
    """Measure and print."""
    print("| one core of this machine | |\n|---|--:|")
    for name, (value, unit) in measure().items():
        print(f"| {name} | {value:.0f} {unit} |", flush=True)


if __name__ == "__main__":
    main()
