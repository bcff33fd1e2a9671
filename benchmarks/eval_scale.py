"""Memory of an evaluation of 15,000 clips with Fréchet and kernel distances of three encoders: all of it below 4 GiB.

The features are made up (VGGish: 10 rows of 128 a clip, PANNs 2048, PaSST 768; generated and reference), so what is
measured is what grows with the number of clips: the table, pooling, correction and intervals, and the file of large
statistics. The encoders add their weights, which do not grow. The peak is that of one process that does all of it.

    OMP_NUM_THREADS=1 python benchmarks/eval_scale.py
    OMP_NUM_THREADS=1 python benchmarks/eval_scale.py --clips 2000 --metrics kad_vggish kad_panns
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from foleybench import registry
from foleybench.artefacts import result
from foleybench.artefacts.clip_table import ClipTable
from foleybench.stats import intervals

SHAPES = {"vggish": (10, 128), "panns_32k": (1, 2048), "passt": (1, 768)}
METRICS = {"fad_vggish": "vggish", "fd_panns": "panns_32k", "fd_passt": "passt"} | {
    "kad_panns": "panns_32k",
    "kad_passt": "passt",
    "kad_vggish": "vggish",
}


def table_of(n_clips: int, metrics: list[str]) -> ClipTable:
    """Return a table as the evaluator fills it; metrics on one encoder have the same rows."""
    rng, table = np.random.default_rng(0), ClipTable()
    encoders = sorted({METRICS[name] for name in metrics})
    for index in range(n_clips):
        sides = {}
        for encoder in encoders:
            rows = rng.standard_normal((2, *SHAPES[encoder]), dtype=np.float32)
            sides[encoder] = {"reference": rows[0].astype(np.float64), "generated": 1.1 * rows[1]}
        found = {name: sides[METRICS[name]] for name in metrics}
        clip_id = f"clip{index:06d}"
        table.add({"clip_id": clip_id, "source_id": clip_id, "label": f"c{index % 309}", "stats": found})
    return table


def peak_mb() -> int:
    """Return the largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=15000, help="number of clips (default: 15000)")
    parser.add_argument("--resamples", type=int, default=1000, help="random sign vectors (default: 1000)")
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=list(METRICS), help="which (default: all)")
    args = parser.parse_args()
    print("| what | seconds (CPU) | peak MB so far |\n|---|--:|--:|")
    print(f"| Python with torch {torch.__version__} | | {peak_mb()} |", flush=True)
    table = _timed(f"table of {args.clips} clips", lambda: table_of(args.clips, args.metrics))
    for name in args.metrics:
        metric = registry.load("metrics", name)
        found = result.stats_of(table, name)
        listed = list(found.values())
        _timed(f"{name}: value", lambda m=metric, s=listed: m.pool(s))
        _timed(f"{name}: corrected", lambda m=metric, s=listed, c=list(found): m.corrected(s, c))
        sources = {clip_id: clip_id for clip_id in found}
        rng = np.random.default_rng(0)
        _timed(
            f"{name}: interval, {args.resamples} sign vectors",
            lambda m=metric, f=found, c=sources, r=rng: intervals.value_interval(
                m.pool, f, c, rng=r, draws=args.resamples
            ),
        )
        del found, listed
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npz"
        _timed("large statistics written", lambda: table.large.write(path))
        print(f"| file of {path.stat().st_size / 1e6:.0f} MB | | {peak_mb()} |")


def _timed(what, work):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    started = time.process_time()
    out = work()
    print(f"| {what} | {time.process_time() - started:.1f} | {peak_mb()} |", flush=True)
    return out


if __name__ == "__main__":
    main()
