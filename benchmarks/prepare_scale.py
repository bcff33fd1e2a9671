"""What ``prepare`` itself costs at scale: many tiny made-up clips through the real workers, staging, packing, manifest.

The clips take no time to make, so what is measured is overhead: seconds and memory of the run, of a run that finds all
done or a shard lost, of a loader's index, of verifying. Every fifth clip fails, as in the wild.

    python benchmarks/prepare_scale.py [--clips N] [--jobs N] [--kb SIZE]
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from foleybench.prepare import plan, prepare
from foleybench.prepare.verify import Checked, ShardProblem, verify
from foleybench.shards.index import read_index

SOURCE = """
from foleybench.datasets import Dataset, Item, Sample
from foleybench.errors import MediaError


def items(options):
    return [
        Item(
            clip_id=f"{index:011d}_000010", source=f"https://video.example/watch?v={index:011d}",
            source_id=f"{index:011d}", label="dog barking", split="train",
            spec={"index": index, "start_s": 10.0, "kb": options.kb},
        )
        for index in range(options.clips)
    ]


def make(item):
    index = item.spec["index"]
    if index % 5 == 4:
        raise MediaError("gone", "the video is not available any more")
    data = index.to_bytes(8, "big") * (item.spec["kb"] * 64)
    facts = {"duration_s": 10.0, "rate_hz": 48000, "fps": 25.0, "width": 256, "height": 256, "flags": []}
    return Sample(mp4=data, flac=data[::-1], events=None, facts=facts, factors={})


DATASET = Dataset(
    title="Tiny", version=1, licence="none", description="For a benchmark.", add_arguments=lambda parser: None,
    items=items, make=make, fingerprint=lambda options: {},
)
"""


class Watch:
    """Counts the files under a folder now and then: the most that ever waited to be packed."""

    def __init__(self, folder: Path) -> None:
        self.most = self.most_in_one = 0
        self._folder, self._stop = folder, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(2.0):
            counts = [sum(1 for _ in one.iterdir()) for one in self._folder.glob("*/*/") if one.is_dir()]
            self.most = max(self.most, sum(counts))
            self.most_in_one = max([self.most_in_one, *counts])

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Watch while the context is open."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100_000, help="clips asked for (default: 100000)")
    parser.add_argument("--jobs", type=int, default=2, help="workers (default: 2)")
    parser.add_argument("--kb", type=int, default=1, help="size of either half of a clip in KiB / 2 (default: 1)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        Path(folder, "tiny.py").write_text(SOURCE)
        name = f"{folder}/tiny.py:DATASET"
        with timed("list and check what is asked for", args.clips):
            plan(name, args, out)
        watch = Watch(out / ".staging")
        with watch.running(), timed("make, stage, pack, write the manifest", args.clips):
            made = prepare(name, args, out, jobs=args.jobs, progress=True)
        print(f"most files waiting to be packed {watch.most}, in one folder {watch.most_in_one}")
        with timed("run again when all is there", args.clips):
            prepare(name, args, out, jobs=args.jobs)
        shard = sorted(out.glob("*.tar"))[-1]
        shard.unlink()
        with timed("run again with one shard lost", args.clips):
            prepare(name, args, out, jobs=args.jobs)
        with timed("index for a loader", args.clips):
            index = read_index(made["train"])
        with timed("verify every member", args.clips):
            found = list(verify(made["train"]))
        problems = [one for one in found if isinstance(one, ShardProblem)]
        n_clips = sum(one.n_clips for one in found if isinstance(one, Checked))
        print(f"{len(index)} usable clips in {len(index.shards)} shards; {n_clips} verified, {len(problems)} problems")


@contextlib.contextmanager
def timed(what: str, n_clips: int) -> Iterator[None]:
    """Print seconds, per clip, and the most memory that this process has held so far."""
    started, cpu = time.perf_counter(), time.process_time()
    yield
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what:40s} {seconds:8.2f} s ({1e3 * seconds / n_clips:6.3f} ms a clip; processor {cpu:7.2f} s), "
        f"most memory {peak_mb:6.0f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    main()
