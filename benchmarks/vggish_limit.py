"""Where the time of a VGGish embedding goes, against the rate of a large matrix product on the same core.

One audio of 10 s (ten patches), random weights, one thread, CPU seconds, the best of several rounds. Convolutions and
linear layers are sums of products; how near they come to the rate of a large matrix product says how much a better
implementation of the same sums could still bring.

    OMP_NUM_THREADS=1 python benchmarks/vggish_limit.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from foleybench.encoders._inputs.vggish_patches import RATE_HZ, log_mel_patches
from foleybench.encoders._nets import vggish

SECONDS, ROUNDS, SIDE = 10.0, 15, 2048


def best(work: Callable[[], object]) -> float:
    """Return the least CPU seconds of some rounds, after two that are not counted."""
    taken = []
    for _ in range(ROUNDS + 2):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken[2:])


def products(net: torch.nn.Module, patches: torch.Tensor) -> dict[str, float]:
    """Return the multiply-adds of the convolutions and of the linear layers for these patches."""
    found = {"convolutions": 0.0, "linear layers": 0.0}
    rows, columns = patches.shape[1:]
    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d):
            found["convolutions"] += layer.weight.numel() * rows * columns
        elif isinstance(layer, torch.nn.MaxPool2d):
            rows, columns = rows // 2, columns // 2
        elif isinstance(layer, torch.nn.Linear):
            found["linear layers"] += layer.weight.numel()
    return {name: n * len(patches) for name, n in found.items()}


@torch.inference_mode()
def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    net = vggish.new_net()
    sound = np.random.default_rng(0).standard_normal(int(SECONDS * RATE_HZ)) * 0.1
    patches = torch.from_numpy(log_mel_patches(sound).astype(np.float32))
    laid_out = vggish.laid_out(patches[:, None])
    flat = net.features(laid_out).to_dense().permute(0, 2, 3, 1).flatten(1)
    square = torch.randn(SIDE, SIDE)
    n_sums = products(net, patches)
    parts = {
        "mel patches": (best(lambda: log_mel_patches(sound)), None),
        "convolutions": (best(lambda: net.features(laid_out)), n_sums["convolutions"]),
        "linear layers": (best(lambda: net.embeddings(flat)), n_sums["linear layers"]),
        "the whole network": (best(lambda: net(patches)), sum(n_sums.values())),
        f"a product of {SIDE} x {SIDE} matrices": (best(lambda: square @ square), float(SIDE**3)),
    }
    print("| what | CPU ms | GFLOP | GFLOP/s |")
    print("|---|--:|--:|--:|")
    for name, (seconds, n) in parts.items():
        rate = "| |" if n is None else f"| {2e-9 * n:.1f} | {2e-9 * n / seconds:.0f} |"
        print(f"| {name} | {1000 * seconds:.1f} {rate}")


if __name__ == "__main__":
    main()
