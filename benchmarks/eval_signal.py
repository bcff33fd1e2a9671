"""``foleybench eval`` of thousands of clips under ``signal``, cold and warm: seconds, memory, files.

The clips are made: 10 s of noise at 16 kHz with about two strokes a second, real ones as FLAC in a shard, generated
ones, which have most of the strokes a little late, as 16-bit WAV in a folder.
"Cold" begins with an empty cache, "warm" with the one that it left. ``--before`` names a checkout of an earlier state
of this repository, which scores the same clips in turn with its own cache (of 48e6073 or later).

    OMP_NUM_THREADS=1 python benchmarks/eval_signal.py --clips 600 3000
    OMP_NUM_THREADS=1 python benchmarks/eval_signal.py --clips 15000 --work out/eval_signal
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import made_set
import numpy as np
import soundfile

from foleybench.clips import AudioArray

SECONDS, RATE_HZ = 10.0, 16000
HERE = Path(__file__).resolve().parents[1]
HEAD = "| code | clips | jobs | cache | wall s | CPU s | CPU ms a clip | largest process MB | files of the cache | MB |"


class Cost(NamedTuple):
    """What one evaluation took: seconds by the clock and of processors, and the memory of its largest process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def strokes(index: int, seconds: float, rate_hz: int, *, generated: bool = False) -> AudioArray:
    """Return strokes in faint noise, different for every index; generated: 0 to 20 ms late, each fifth absent."""
    rng = np.random.default_rng(index)
    starts = np.sort(rng.uniform(0.1, seconds - 0.5, rng.integers(10, 30)))
    if generated:
        starts = starts[np.arange(len(starts)) % 5 > 0] + 0.02 * rng.random()
    audio = 0.002 * rng.standard_normal(round(seconds * rate_hz), dtype=np.float32)
    ring = np.exp(-np.arange(rate_hz // 4, dtype=np.float32) / (0.05 * rate_hz))
    for start in starts:
        at = round(start * rate_hz)
        audio[at : at + len(ring)] += 0.2 * ring * rng.standard_normal(len(ring), dtype=np.float32)
    return np.clip(audio, -1, 1)


def make(folder: Path, n_clips: int) -> tuple[Path, Path]:
    """Make the clips unless they are there; return the manifest and the folder of generated audio."""
    audio, whole = folder / "audio", folder / "whole"
    if not whole.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        audio.mkdir(parents=True)
        made_set.make(folder, n_clips, SECONDS, RATE_HZ, audio_of=strokes)
        for index in range(n_clips):
            path = audio / f"made{index:06d}_000000.wav"
            soundfile.write(path, strokes(index, SECONDS, RATE_HZ, generated=True), RATE_HZ, subtype="PCM_16")
        whole.touch()
    return folder / "test.manifest.jsonl", audio


def older(manifest: Path) -> Path:
    """Return a copy of a manifest as schema 1 had it, which is what earlier code reads, beside links to its shards."""
    folder = manifest.parent / "schema1"
    folder.mkdir(exist_ok=True)
    for shard in manifest.parent.glob("*.tar"):
        (folder / shard.name).unlink(missing_ok=True)
        (folder / shard.name).symlink_to(shard)
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    for line in lines:
        for name in ("lines_sha256", "n_lines", "json_sha256"):
            line.pop(name, None)
    lines[0]["schema"] = 1
    (folder / manifest.name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / manifest.name


def evaluate(code: Path, manifest: Path, audio: Path, home: Path, jobs: int, *, warm: bool) -> Cost:
    """Run the command of some code; its results and cache lie in ``home``, which begins empty unless ``warm``."""
    if not warm:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
    words = ["eval", "--audio", str(audio), "--data", str(manifest), "--protocol", "signal", "--name", "made"]
    words += ["--out", str(home / "results"), "--cache", str(home / "cache"), "--jobs", str(jobs)]
    paths = os.pathsep.join([str(code), str(code / "models")])
    run = [sys.executable, "-c", "import sys; from foleybench.cli import main; sys.exit(main(sys.argv[1:]))", *words]
    shutil.rmtree(home / "results", ignore_errors=True)
    with (home / "log").open("w") as log:
        began = time.monotonic()
        process = subprocess.Popen(run, cwd=code, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": paths})
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - began
    if status:
        raise SystemExit(f"{code}: eval ended with {os.waitstatus_to_exitcode(status)}: see {home / 'log'}")
    return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    """Make, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, nargs="+", default=[600], help="numbers of clips (default: 600)")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1], help="processes (default: 1)")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="an earlier state, scored in turn")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where the clips are kept (default: nowhere)")
    args = parser.parse_args()
    codes = {"now": HERE} | ({"before": args.before.resolve()} if args.before else {})
    print(HEAD + "\n|---|" + "--:|" * 2 + "---|" + "--:|" * 6, flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        work = (args.work or Path(scratch)).resolve()
        for n_clips in args.clips:
            manifest, audio = make(work / str(n_clips), n_clips)
            manifests = {"now": manifest} | ({"before": older(manifest)} if args.before else {})
            for jobs in args.jobs:
                for cache in ("cold", "warm"):
                    for name, code in codes.items():
                        home = work / f"{name}_{n_clips}_{jobs}"
                        cost = evaluate(code, manifests[name], audio, home, jobs, warm=cache == "warm")
                        print(f"| {name} | {n_clips} | {jobs} | {cache} | {row(cost, home, n_clips)} |", flush=True)


def row(cost: Cost, home: Path, n_clips: int) -> str:
    """Return the cells of a row."""
    files = [path.stat().st_size for path in (home / "cache").rglob("*") if path.is_file()]
    cells = [f"{cost.wall_s:.0f}", f"{cost.cpu_s:.1f}", f"{1000 * cost.cpu_s / n_clips:.0f}"]
    return " | ".join([*cells, f"{cost.peak_mb:.0f}", str(len(files)), f"{sum(files) / 1e6:.0f}"])


if __name__ == "__main__":
    main()
