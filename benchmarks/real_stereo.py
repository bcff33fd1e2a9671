"""Measure what the stereo metrics see on real clips whose two channels differ, and write their cards.

Wants a folder ``<site>/<clip>/gt.mp4``. Most files of two channels hold the same sound twice: a clip counts when the
share of power in the difference of left and right is at least 0.02. Every step after that is an ordinary command:

    python benchmarks/real_stereo.py --pairs PAIRS --out out/stereo --cards docs/metric_cards
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from published_outputs import link, run

from foleybench.encoders.stereo import RATE_HZ, stereo_features
from foleybench.media.audio import resample
from foleybench.media.hear import hear, hear_sides
from foleybench.metrics._families.stereo import SILENT, width

LEAST_WIDTH = 0.02
METRICS = ("stereo_width_difference", "stereo_balance_difference", "stereo_correlation_difference", "stereo_movement")
# What changes where a sound is, and what changes the sound: other kinds of quality loss tell nothing more.
DEGRADATIONS = ("narrowed", "sides_swapped", "shuffled", "shift", "far_shift", "noise", "low_pass", "gain", "drop_outs")


def main() -> int:
    """Choose the clips, prepare them, run the suite; 3 when a metric is out of order on what it is for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="folder of <site>/<clip>/gt.mp4")
    parser.add_argument("--out", type=Path, default=Path("out/stereo"), help="work folder (default: out/stereo)")
    parser.add_argument("--cards", type=Path, help="folder of the cards to write")
    args = parser.parse_args()
    for video in sorted(args.pairs.glob("*/*/gt.mp4")):
        found = width_of(video)
        if found is not None and found >= LEAST_WIDTH:
            link(video, args.out / "videos" / f"{video.parent.parent.name}_{video.parent.name}{video.suffix}")
    shards = args.out / "shards"
    run("prepare", "folder", args.out / "videos", "--out", shards, "--dataset-name", "stereo", "--channels", "keep")
    metrics = [word for metric in METRICS for word in ("--metric", metric)]
    more = ["--cards", args.cards] if args.cards else []
    data = shards / "test.manifest.jsonl"
    where = ["--cache", args.out / "cache", "--out", args.out / "sanity", *more]
    return run("sanity", "--data", data, *metrics, "--degradations", *DEGRADATIONS, *where)


def width_of(video: Path) -> float | None:
    """Return the width of a file's sound between 0 and 1; None without two channels, or for silence."""
    sides = hear_sides(video)
    if sides is None or len(sides) != 2:
        return None
    rate_hz = hear(video).rate_hz
    powers = stereo_features(np.stack([resample(side, rate_hz, RATE_HZ) for side in sides]))["powers"]
    return width(powers) if powers[0] + powers[1] >= SILENT else None


if __name__ == "__main__":
    sys.exit(main())
