"""Does a run of two processes end as it should? ``torchrun ... foleybench train`` many times, and how often it failed.

A small flow is trained for a few steps, from its data to its checkpoint; what counts is the exit code of the launcher,
which is that of the worst process. Busy loops beside it make the machine busy.

    python benchmarks/launcher_ends.py --runs 50 --busy 2
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.foleymodels.small import SMALL
from tests.foleymodels.toy import toy_corpus

# What torch's optimisers import in the middle of a run, which is what once kept threads alive, is in every model.
FLOW = {key: text for key, text in SMALL.items() if key.startswith(("window", "flow", "refine", "nfe", "vocoder"))}


def main() -> None:
    """Run, count, print the last words of every run that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--busy", type=int, default=0, help="busy loops beside the runs")
    parser.add_argument("--model", default="unconditional")
    args = parser.parse_args()
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(args.busy)]
    failed, seconds = 0, []
    try:
        with tempfile.TemporaryDirectory() as folder:
            data = {split: toy_corpus(Path(folder), split, n) for split, n in (("train", 8), ("val", 4))}
            for run in range(args.runs):
                started = time.monotonic()
                done = one_run(args.model, data, Path(folder), f"run{run}")
                seconds.append(time.monotonic() - started)
                if done.returncode:
                    failed += 1
                    sys.stdout.write(f"run {run} ended with {done.returncode}: {done.stderr[-2000:]}\n")
                sys.stdout.write(f"run {run}: {seconds[-1]:.1f} s, failed so far {failed}\n")
                sys.stdout.flush()
    finally:
        for loop in loops:
            loop.kill()
    middle = sorted(seconds)[len(seconds) // 2]
    sys.stdout.write(f"{args.runs - failed} of {args.runs} runs ended as they should; median {middle:.1f} s a run\n")


def one_run(model: str, data: dict[str, Path], folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    """Train once in two processes."""
    settings = {**(SMALL if model == "foleyflow" else FLOW), "cache": str(folder / "cache")}
    sets = [word for item in settings.items() for word in ("--set", "=".join(item))]
    files = ["--data", str(data["train"]), "--val", str(data["val"]), "--out", str(folder / name)]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, "-m", "foleybench", "train", model, *files, *sets]
    environment = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


if __name__ == "__main__":
    main()
