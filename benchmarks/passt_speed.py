"""PaSST with attention in one call against the package's own: the same clips and random weights, in turn.

    OMP_NUM_THREADS=1 python benchmarks/passt_speed.py
    OMP_NUM_THREADS=1 python benchmarks/passt_speed.py --clips 8 --rounds 9

Prints seconds a clip of either, the ratio of each round, and the largest difference of the embeddings.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from typing import Any

import torch

from foleybench.encoders._nets import passt
from foleybench.encoders._nets.passt_weights import N_SAMPLES


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=4, help="clips of 10 s in a batch (default: 4)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each of both (default: 5)")
    args = parser.parse_args()
    package = passt.new_net()
    ours = copy.deepcopy(package)
    passt.fuse_attention(ours)
    audio = torch.randn(args.clips, N_SAMPLES, generator=torch.Generator().manual_seed(0))
    mel = passt.MelFrontend("cpu")(audio)[:, None]
    ratios = []
    print("| round | hear21passt, s a clip | ours, s a clip | ratio |\n|--:|--:|--:|--:|")
    for number in range(args.rounds):
        peer_s, wanted = _timed(package, mel)
        our_s, found = _timed(ours, mel)
        ratios.append(peer_s / our_s)
        print(f"| {number} | {peer_s / args.clips:.3f} | {our_s / args.clips:.3f} | {ratios[-1]:.2f} |", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f}, largest difference {float((found - wanted).abs().max()):.1e}")


def _timed(net: Any, mel: torch.Tensor) -> tuple[float, torch.Tensor]:
    with torch.inference_mode():
        began = time.process_time()
        _, embedding = net(mel)
        return time.process_time() - began, embedding


if __name__ == "__main__":
    main()
