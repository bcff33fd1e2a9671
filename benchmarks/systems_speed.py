"""Real-time factors of the systems of Table 1 beside each other, in one run.

Every system makes the same clip in turn within each round, so that a machine that slows down slows all of them. One
thread, warm-up first, video features and vocoder included, decoding and writing files left out. Each system has its own
number of evaluations and the guidance of Table 1. The ratio to the first is the median over rounds of the two times of
one round. The runs are those of ``foleybench reproduce table1 --keep``; systems whose run is not there are named.

    python benchmarks/systems_speed.py --runs out/reproduce/runs --data shards/synthfoley/test.manifest.jsonl
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from foleybench.api.model import clip_rng
from foleybench.clips import FloatArray
from foleybench.generation.folder import GenerationSettings, build_generator, visible_part
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.plan import Setup, training_name
from foleybench.reproduce.rows import GridRow
from foleybench.shards.dataset import ShardDataset

SEED = 0


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True, help="folder of the training runs")
    parser.add_argument("--data", type=Path, required=True, help="manifest with at least one clip")
    parser.add_argument("--rounds", type=int, default=9, help="timed rounds, after one that warms up (default: 9)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = ShardDataset(args.data)
    found, absent = trained_rows(args.runs)
    seconds = times(found, data, args.rounds)
    clip_s = data.load(data.clip_ids[0]).duration_s
    print(f"One clip of {clip_s:g} s, one thread, seed {SEED}, median of {args.rounds} rounds (quartiles).\n")
    print("| System | Evaluations | Seconds a clip | Real-time factor | Times the first system |")
    print("| --- | ---: | ---: | ---: | ---: |")
    first = next(iter(seconds.values()))[1]
    for label, (evaluations, own) in seconds.items():
        low, middle, high = np.percentile(own, [25, 50, 75])
        less, ratio, more = np.percentile(own / first, [25, 50, 75])
        print(
            f"| {label} | {evaluations or ''} | {middle:.3f} ({low:.3f} to {high:.3f}) | {middle / clip_s:.4f} "
            f"| {ratio:.2f} ({less:.2f} to {more:.2f}) |"
        )
    if absent:
        print(f"\nNot timed, their runs are not in the folder: {', '.join(absent)}.")


def trained_rows(runs: Path) -> tuple[list[tuple[GridRow, Path]], list[str]]:
    """Return the ranked rows of Table 1 with their checkpoints, and the labels of those whose run is not there."""
    setup = Setup(work=runs.parent, results=runs.parent)
    found, absent = [], []
    for row in GRIDS["table1"].rows:
        if row.variant is None or row.unranked:
            continue
        run = runs / training_name(setup, row.variant, SEED)
        if (run / "config.json").is_file():
            found.append((row, run))
        else:
            absent.append(row.label)
    return found, absent


def times(rows: Sequence[tuple[GridRow, Path]], data: ShardDataset, rounds: int) -> dict[str, tuple[int, FloatArray]]:
    """Return label -> evaluations of the network and seconds of each round."""
    clip = data.load(data.clip_ids[0])
    built = {row.label: build_generator(_settings(row, run), data) for row, run in rows}
    seconds: dict[str, list[float]] = {label: [] for label in built}
    for turn in range(rounds + 1):
        for label, (model, generator) in built.items():
            started = time.perf_counter()
            generator.generate([visible_part(clip, model)], clip_rng(turn, clip.clip_id))
            if turn:
                seconds[label].append(time.perf_counter() - started)
    return {label: (built[label][1].nfe, np.array(own)) for label, own in seconds.items()}


def _settings(row: GridRow, run: Path) -> GenerationSettings:
    assert row.variant is not None
    return GenerationSettings(model=row.variant.model, checkpoint=run, guidance=row.guidance)


if __name__ == "__main__":
    main()
