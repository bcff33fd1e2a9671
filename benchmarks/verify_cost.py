"""What it costs to check every sample against the manifest as it is read: with and without, in turns, in one run.

``eval`` reads audio and facts of a clip (the video only where a feature is not cached); training reads all of it, and
decodes it or, with features made before, takes it as it is. Seconds are those of the processor, of one core; files lie
in the page cache.

    python benchmarks/verify_cost.py --data MANIFEST [--clips N] [--rounds N]
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from foleybench.shards.dataset import ShardDataset, decode_sample
from foleybench.shards.sampling_order import Run
from foleybench.shards.stream import KEY, ShardStream


def main() -> None:
    """Time each way of reading with and without the check, and print the share that the check takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="MANIFEST", help="a prepared split")
    parser.add_argument("--clips", type=int, default=100, help="clips that are read (default: 100)")
    parser.add_argument("--rounds", type=int, default=9, help="times that each is run (default: 9)")
    args = parser.parse_args()
    ways = Ways(args.data, args.clips)
    print(f"{len(ways.ids)} clips of {ways.mean_bytes() / 1e3:.0f} kB")
    compare("eval, warm cache (audio decoded)", functools.partial(ways.load, video=False), len(ways.ids), args.rounds)
    compare("eval, cold cache (all decoded)", ways.load, len(ways.ids), args.rounds)
    compare("loader, decoded", ways.stream_decoded, len(ways.ids), args.rounds)
    compare("loader, raw bytes", ways.stream_raw, len(ways.ids), args.rounds)


class Ways:
    """The ways in which the suite reads the first clips of a split."""

    def __init__(self, manifest: Path, n_clips: int) -> None:
        self._data, self._stream = ShardDataset(manifest), ShardStream(manifest)
        self.ids = self._data.clip_ids[:n_clips]
        positions = np.arange(len(self.ids), dtype=np.int64)
        self._run = Run(positions, positions)

    def mean_bytes(self) -> float:
        """Return the mean size of a clip; all files are in the page cache afterwards."""
        members = [self._data.members(clip_id) for clip_id in self.ids]
        return sum(len(data) for files in members for data in files.values()) / len(members)

    def load(self, verify: bool, *, video: bool = True) -> None:
        """Read clip by clip, decoded."""
        for clip_id in self.ids:
            self._data.load(clip_id, video=video, verify=verify)

    def stream_decoded(self, verify: bool) -> None:
        """Read as the loader does, decoded."""
        for sample in self._stream.read(self._run, verify=verify):
            decode_sample(sample[KEY], sample)

    def stream_raw(self, verify: bool) -> None:
        """Read as the loader does, bytes only."""
        for _ in self._stream.read(self._run, verify=verify):
            pass


def compare(name: str, read: Callable[[bool], None], n_clips: int, rounds: int) -> None:
    """Read with and without the check in turns, a first round uncounted, and print milliseconds a clip."""
    with_ms, without_ms = [], []
    for round_ in range(rounds + 1):
        for verify in (True, False) if round_ % 2 else (False, True):
            started = time.process_time()
            read(verify)
            spent_ms = (time.process_time() - started) * 1e3 / n_clips
            if round_:
                (with_ms if verify else without_ms).append(spent_ms)
    ratios = sorted(checked / plain for checked, plain in zip(with_ms, without_ms, strict=True))
    print(
        f"{name:34s} without {statistics.median(without_ms):8.3f} ms a clip, with {statistics.median(with_ms):8.3f}: "
        f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f} in {len(ratios)} rounds)"
    )


if __name__ == "__main__":
    main()
