"""How the cost of every metric grows with the number of clips: its value, its correction and its interval.

Features are made, as av-benchmark would cache them (VGGish: 8 rows of 128 a clip, PANNs 2,048, PaSST 768 and 527
classes). One thread, CPU seconds; an exponent of 1 is linear, of 2 quadratic. The interval is from 1,000 sign vectors.

    OMP_NUM_THREADS=1 python benchmarks/growth.py
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from metric_cases.caches import write

from foleybench import registry
from foleybench.api.metric import Stat
from foleybench.artefacts import result
from foleybench.scoring.avbench_cache import CacheRequest, evaluate_cache
from foleybench.stats import estimate

PARTS = ("value", "correction", "interval")
# Metrics that av-benchmark lacks, on the rows of one that it has.
MODEL = {"name": "made", "title": "Made", "kind": "model"}
KERNEL = {"kad_vggish": "fad_vggish", "kad_panns_eval": "fd_panns", "kad_passt": "fd_passt"}


def statistics_of(n_clips: int) -> dict[str, dict[str, Stat]]:
    """Return every metric's statistics of made clips, by clip."""
    with tempfile.TemporaryDirectory() as folder:
        home, rng = Path(folder), np.random.default_rng(n_clips)
        for name in ("generated", "truth"):
            write(home / name, rng, n_clips)
        facts, table = evaluate_cache(
            CacheRequest(generated=home / "generated", truth=home / "truth", model=MODEL, resamples=2)
        )
    found = {name: result.stats_of(table, name) for name in facts["metrics"]}
    found |= {name: found[rows] for name, rows in KERNEL.items() if rows in found}
    return {name: stats for name, stats in found.items() if stats}


def seconds_of(name: str, found: dict[str, Stat]) -> tuple[float, float, float]:
    """Return the CPU seconds of the value, of its correction (0 for metrics without one) and of its interval."""
    metric = registry.load("metrics", name)
    listed, ids = list(found.values()), list(found)
    value = _timed(lambda: metric.pool(listed))
    correction = _timed(lambda: metric.corrected(listed, ids)) if metric.corrected else 0.0
    known, sources = metric.pool(listed), dict(zip(ids, ids, strict=True))
    return value, correction, _timed(lambda: estimate.interval_of(name, metric, found, sources, value=known))


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _cells(spent: list[float], clips: list[int]) -> str:
    exponent = math.log(max(spent[-1], 1e-4) / max(spent[-2], 1e-4)) / math.log(clips[-1] / clips[-2])
    return " | ".join([*(f"{seconds:.3f}" for seconds in spent), f"{exponent:.1f}" if spent[-1] > 0.02 else "-"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, nargs="+", default=[150, 600, 2400], help="numbers of clips, two or more")
    args = parser.parse_args()
    if len(args.clips) < 2:
        parser.error("--clips takes two numbers or more: growth is from one to the next")
    by_clips = [statistics_of(n_clips) for n_clips in args.clips]
    heads = [head for what in PARTS for head in (*(f"{what} {n} s" for n in args.clips), "exponent")]
    print(f"| metric | {' | '.join(heads)} |\n|---|" + "--:|" * len(heads))
    for name in by_clips[0]:
        spent = [seconds_of(name, found[name]) for found in by_clips]
        cells = [_cells([one[part] for one in spent], args.clips) for part in range(len(PARTS))]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
