"""Seconds per clip and real-time factor of a trained model against the number of network evaluations, in one run.

Every setting is timed in turn within each round, so that a machine that slows down slows all of them; the median
over rounds is printed. One thread, warm-up first, video features and vocoder included, decoding and writing files
left out.

    python benchmarks/generation_speed.py --checkpoint runs/foleyflow --data shards/test.manifest.jsonl
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from foleybench.api.model import clip_rng
from foleybench.generation.folder import GenerationSettings, build_generator, visible_part
from foleybench.shards.dataset import ShardDataset

NFES = (1, 2, 4, 8, 25)
ROUNDS = 7


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="foleyflow", help="a model that takes --nfe (default: foleyflow)")
    parser.add_argument("--checkpoint", type=Path, required=True, help="its checkpoint")
    parser.add_argument("--data", type=Path, required=True, help="manifest with at least one clip")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default: 1)")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    data = ShardDataset(args.data)
    clip = data.load(data.clip_ids[0])
    built = {
        n: build_generator(GenerationSettings(model=args.model, checkpoint=args.checkpoint, nfe=n), data) for n in NFES
    }
    seconds: dict[int, list[float]] = {n: [] for n in NFES}
    for turn in range(ROUNDS + 1):
        for nfe, (model, generator) in built.items():
            started = time.perf_counter()
            generator.generate([visible_part(clip, model)], clip_rng(turn, clip.clip_id))
            if turn:  # the first round warms up
                seconds[nfe].append(time.perf_counter() - started)
    print(f"{args.model}, {clip.duration_s:g} s clip, {args.threads} thread(s), median of {ROUNDS}")
    print("| NFE | seconds per clip | real-time factor |\n|--:|--:|--:|")
    for nfe, times in seconds.items():
        median = float(np.median(times))
        print(f"| {nfe} | {median:.4f} | {median / clip.duration_s:.4f} |")


if __name__ == "__main__":
    main()
