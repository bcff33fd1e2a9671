"""A soak: `foleybench eval` of thousands of sounds of which one in twenty is broken, in two dozen ways.

Every broken audio must be named, and no other; the exit code must be 3, and memory flat: the peak of the whole run at
most a tenth over that of a quarter of it. Ends with 1 when it is not so.

    OMP_NUM_THREADS=1 python -m benchmarks.soak [--clips 2000] [--jobs 1]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import made_set
from tests.broken_sounds import RATE_HZ, SCORED, SECONDS, make_folder

# Runs the command and tells its own peak memory on the last line of standard error.
RUN = (
    "import resource, sys; from foleybench.cli import main; code = main(sys.argv[1:]);"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr); raise SystemExit(code)"
)


class Soaked(NamedTuple):
    """One run: what was broken and not named, named and not broken, and the rest that is told."""

    n_broken: int
    not_named: list[str]
    named_though_good: list[str]
    n_scored: int
    n_scored_wanted: int
    exit_code: int
    peak_mb: int
    seconds: float

    @property
    def good(self) -> bool:
        """Whether all is as it must be, but for memory."""
        same = self.n_scored == self.n_scored_wanted
        return not self.not_named and not self.named_though_good and self.exit_code == 3 and same


def soak(home: Path, n_clips: int, jobs: int = 1, *, every: int = 20) -> Soaked:
    """Make a data set and a folder of sounds, one in so many broken, and score it."""
    manifest = made_set.make(home / f"data{n_clips}", n_clips, SECONDS, RATE_HZ)
    audio = home / f"audio{n_clips}"
    sounds = {f"made{k:06d}_000000": made_set.sound(k + 10**6, SECONDS, RATE_HZ) for k in range(n_clips)}
    broken = make_folder(audio, sounds, every=every)
    words = ["eval", "--audio", str(audio), "--data", str(manifest), "--protocol", "signal", "--resamples", "20"]
    words += ["--out", str(home / "results"), "--cache", str(home / f"cache{n_clips}")]
    words += ["--name", f"n{n_clips}", "--jobs", str(jobs)]
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", RUN, *words], capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    paths = [line for line in done.stdout.splitlines() if line.endswith(".json")]
    if not paths:
        raise RuntimeError(f"no result (exit code {done.returncode}): {done.stderr[-2000:]}")
    result = json.loads(Path(paths[0]).read_text())
    named = {problem["clip_id"] for problem in result["problems"]}
    return Soaked(
        n_broken=len(broken),
        not_named=sorted(broken[clip_id] for clip_id in set(broken) - named),
        named_though_good=sorted(named - set(broken)),
        n_scored=result["dataset"]["n_scored"],
        n_scored_wanted=n_clips - sum(way not in SCORED for way in broken.values()),
        exit_code=done.returncode,
        peak_mb=int(done.stderr.strip().splitlines()[-1]),
        seconds=seconds,
    )


def main() -> int:
    """Run a quarter and the whole, print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=2000, help="sounds (default: 2000)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1, whose memory is what is told)")
    args = parser.parse_args()
    print("| sounds | broken | not named | named though good | scored (wanted) | exit code | peak MB | seconds |")
    print("|--:|--:|---|---|--:|--:|--:|--:|")
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for n_clips in (args.clips // 4, args.clips):
            one = soak(Path(folder), n_clips, args.jobs)
            runs.append(one)
            named = f"{', '.join(one.not_named) or 'none'} | {', '.join(one.named_though_good[:5]) or 'none'}"
            scored = f"{one.n_scored} ({one.n_scored_wanted})"
            cells = [n_clips, one.n_broken, named, scored, one.exit_code, one.peak_mb, f"{one.seconds:.0f}"]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
    flat = runs[1].peak_mb <= 1.1 * runs[0].peak_mb
    return int(not (flat and all(one.good for one in runs)))


if __name__ == "__main__":
    sys.exit(main())
