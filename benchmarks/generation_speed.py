"""Seconds per clip and real-time factor of a trained model against the number of network evaluations, in one run.

Every setting is timed in turn within each round, so that a machine that slows down slows all of them; the median
over rounds is printed. One thread, warm-up first, video features and vocoder included, decoding and writing files
left out.

    python benchmarks/generation_speed.py --checkpoint runs/foleyflow --data shards/test.manifest.jsonl
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from foleybench.generation.folder import GenerationSettings, build_generator, visible_part
from foleybench.generation.speed import seconds_in_turn
from foleybench.shards.dataset import ShardDataset

NFES = (1, 2, 4, 8, 25)
ROUNDS = 7


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="foleyflow", help="a model that takes --nfe (default: foleyflow)")
    parser.add_argument("--checkpoint", type=Path, required=True, help="its checkpoint")
    parser.add_argument("--data", type=Path, required=True, help="manifest with at least one clip")
    args = parser.parse_args()
    data = ShardDataset(args.data)
    clip = data.load(data.clip_ids[0])
    built = {}
    for nfe in NFES:
        settings = GenerationSettings(model=args.model, checkpoint=args.checkpoint, nfe=nfe)
        model, generator = build_generator(settings, data)
        built[str(nfe)] = generator, visible_part(clip, model)
    seconds = seconds_in_turn(built, rounds=ROUNDS, device="cpu")
    print(f"{args.model}, {clip.duration_s:g} s clip, one thread, median of {ROUNDS}")
    print("| NFE | seconds per clip | real-time factor |\n|--:|--:|--:|")
    for nfe, times in seconds.items():
        median = float(np.median(times))
        print(f"| {nfe} | {median:.4f} | {median / clip.duration_s:.4f} |")


if __name__ == "__main__":
    main()
