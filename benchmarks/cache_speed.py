"""Evaluation from features that are there: ours against av-benchmark's ``evaluate`` on the same cache, in turn.

The cache is made, in av-benchmark's layout (PaSST, PANNs, VGGish, ImageBind, CLAP). Ours is what ``eval
--avbench-cache`` does, with 1,000 sign vectors for every interval and every corrected value; the peer has neither. Both
read the files. One thread, CPU seconds, imports left out. With ``--before`` an earlier checkout of this repository
takes its turn, too.

    OMP_NUM_THREADS=1 python benchmarks/cache_speed.py --peers PEERS
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from metric_cases.caches import peers_evaluate, write

AV_BENCHMARK = "hkchengrex+av-benchmark"
HERE = Path(__file__).resolve().parents[1]


# Run by every state of our code in a process of its own; says its CPU seconds without imports, and how many intervals.
OURS = """
import contextlib, io, json, sys, time
from pathlib import Path
try:
    from foleybench.scoring.avbench_cache import CacheRequest, evaluate_cache
except ImportError:
    from foleybench.avbench_cache import CacheRequest, evaluate_cache
home = Path(sys.argv[1])
model = {"name": "made", "title": "Made", "kind": "model"}
began = time.process_time()
with contextlib.redirect_stdout(io.StringIO()):
    facts, _ = evaluate_cache(CacheRequest(generated=home / "generated", truth=home / "truth", model=model))
spent = time.process_time() - began
print(json.dumps([spent, sum(record.get("low") is not None for record in facts["metrics"].values())]))
"""


def ours(code: Path, home: Path) -> tuple[float, int]:
    """Return the CPU seconds of some code of ours, and how many values have an interval."""
    paths = os.pathsep.join([str(code), str(code / "models")])
    words = [sys.executable, "-c", OURS, str(home)]
    done = subprocess.run(words, cwd=code, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE, check=True)
    seconds, intervals = json.loads(done.stdout)
    return float(seconds), int(intervals)


def peers(evaluate: Callable[..., object], home: Path) -> float:
    """Return the CPU seconds of the peer's function."""
    began = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluate(home / "truth", home / "generated")
    return time.process_time() - began


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, required=True, metavar="DIR", help=f"has a checkout of {AV_BENCHMARK}")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="an earlier state of ours, in turn")
    parser.add_argument("--clips", type=int, nargs="+", default=[100, 600], help="numbers of clips (default: 100 600)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    args = parser.parse_args()
    theirs = peers_evaluate(args.peers / AV_BENCHMARK)
    codes = {"now": HERE} | ({"before": args.before.resolve()} if args.before else {})
    print("| clips | code | av-benchmark s | ours s | ratio | of our values with interval |\n|--:|---|" + "--:|" * 4)
    for n_clips in args.clips:
        spent = []
        for seed in range(args.rounds):
            with tempfile.TemporaryDirectory() as folder:
                home, rng = Path(folder), np.random.default_rng([seed, n_clips])
                for name in ("generated", "truth"):
                    write(home / name, rng, n_clips)
                spent.append((peers(theirs, home), {name: ours(code, home) for name, code in codes.items()}))
        for name in codes:
            peer_s, ours_s = (statistics.median(x) for x in zip(*((p, o[name][0]) for p, o in spent), strict=True))
            ratio = statistics.median(peer / found[name][0] for peer, found in spent)
            cells = f"{peer_s:.2f} | {ours_s:.2f} | {ratio:.2f} | {spent[0][1][name][1]}"
            print(f"| {n_clips} | {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
