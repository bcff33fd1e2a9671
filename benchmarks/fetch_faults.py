"""Fetching from a site that goes wrong in every way, killed again and again: right statuses, the same bytes?

A site on the loopback address serves generated videos through the real yt-dlp (`video_server.py` in
`tests/prepare/obtain/` says what goes wrong with which). One run is left alone; another is killed with SIGKILL at
random moments and started again. Then every id must have the status that its fault leads to, and both results must be
the same, byte for byte.

    python benchmarks/fetch_faults.py [--videos 500] [--kills 10] [--jobs 3]
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest
from tests.prepare.obtain import video_server
from tests.prepare.obtain.test_fetch import check, command, result


def main() -> int:
    """Run both, compare, print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=500, help="videos on the site (default: 500)")
    parser.add_argument("--kills", type=int, default=10, help="times that the second run is killed (default: 10)")
    parser.add_argument("--jobs", type=int, default=3, help="workers (default: 3)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments (default: 0)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        # The pace of a host is kept per machine; runs beside this one must not slow it.
        os.environ["TMPDIR"] = folder
        (home / "list.csv").write_text(video_server.rows(args.videos))
        whole_s = alone(home, args)
        print(f"left alone: {whole_s:.0f} s", flush=True)
        killed_s, n_killed = killed(home, args, whole_s)
        print(f"killed {n_killed} times: {killed_s:.0f} s in all", flush=True)
        manifest = read_manifest(home / "whole" / "test.manifest.jsonl")
        check(manifest, args.videos)
        same = result(home / "killed") == result(home / "whole")
        broken = ShardDataset(home / "killed" / "test.manifest.jsonl").verify()
        print(f"{len(manifest.entries)} ids, every status as it should be: {manifest.counts()}")
        print(f"ids lost 0, doubled {sum(n > 1 for n in Counter(e.clip_id for e in manifest.entries).values())}")
        print(f"byte-identical: {same}; files {sorted(result(home / 'whole'))}; broken shards: {broken}")
        return 0 if same and not broken else 1


def alone(home: Path, args: argparse.Namespace) -> float:
    """Run without a kill; return the seconds."""
    with video_server.serving(args.videos) as server:
        started = time.monotonic()
        subprocess.run([*command(server, home / "list.csv", home / "whole"), "--jobs", str(args.jobs)], check=False)
        return time.monotonic() - started


def killed(home: Path, args: argparse.Namespace, whole_s: float) -> tuple[float, int]:
    """Kill and start again; return the seconds of all runs and the kills that hit a run at work."""
    chance = random.Random(args.seed)
    started = time.monotonic()
    n_killed = 0
    with video_server.serving(args.videos) as server:
        words = [*command(server, home / "list.csv", home / "killed"), "--jobs", str(args.jobs)]
        for _ in range(args.kills):
            run = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.2, 1.6) * whole_s / (args.kills + 1))
            n_killed += run.poll() is None
            run.send_signal(signal.SIGKILL)
            run.wait()
        subprocess.run(words, check=False)
    return time.monotonic() - started, n_killed


if __name__ == "__main__":
    sys.exit(main())
