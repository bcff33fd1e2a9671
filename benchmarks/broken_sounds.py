"""Failure injection: a folder of sounds of which one in twenty is broken, in ten ways, scored by ``foleybench eval``.

Prints for each number of clips how many were named, how many scored, the exit code and the peak memory. All broken
sounds must be named, all others scored, the exit code 3, and memory must not grow with the number of clips.

    OMP_NUM_THREADS=1 python benchmarks/broken_sounds.py --clips 250 500 1000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import made_set
import numpy as np
import soundfile

RATE_HZ, SECONDS = 16000, 2.0
# Runs the command and tells its own peak memory on the last line of standard error.
RUN = (
    "import resource, sys; from foleybench.cli import main; code = main(sys.argv[1:]);"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr); raise SystemExit(code)"
)


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def _samples(path: Path, values: np.ndarray, subtype: str = "FLOAT") -> None:
    soundfile.write(path, values, RATE_HZ, subtype=subtype, format="WAV")


def _with_bad(value: float) -> np.ndarray:
    samples = np.full(round(SECONDS * RATE_HZ), 0.1, dtype=np.float32)
    samples[777] = value
    return samples


def _nothing(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


WAYS: dict[str, Callable[[Path], None]] = {
    "missing": _nothing,
    "empty file": lambda path: _rewrite(path, lambda data: b""),
    "header only": lambda path: _rewrite(path, lambda data: data[:30]),
    "text": lambda path: _rewrite(path, lambda data: b"<html>404</html>"),
    "garbled header": lambda path: _rewrite(path, lambda data: b"\0" * 44 + data[44:]),
    "NaN": lambda path: _samples(path, _with_bad(np.nan)),
    "infinite": lambda path: _samples(path, _with_bad(np.inf)),
    "unknown codec": lambda path: _rewrite(path, lambda data: data[:20] + b"\xee\xee" + data[22:]),
    "a folder": _folder,
    "no samples": lambda path: _samples(path, np.zeros(0, dtype=np.float32), "PCM_16"),
}


def make_folder(folder: Path, n_clips: int) -> dict[str, str]:
    """Write the sounds; return clip id -> way in which it is broken."""
    folder.mkdir()
    broken = {}
    names = list(WAYS)
    for index in range(n_clips):
        clip_id = f"made{index:06d}_000000"
        path = folder / f"{clip_id}.wav"
        soundfile.write(path, made_set.sound(index + 10**6, SECONDS, RATE_HZ), RATE_HZ, subtype="PCM_16")
        if index % 20 == 7:
            broken[clip_id] = names[(index // 20) % len(names)]
            WAYS[broken[clip_id]](path)
    return broken


def one(home: Path, n_clips: int) -> str:
    """Return a row of the table."""
    manifest = made_set.make(home / f"data{n_clips}", n_clips, SECONDS, RATE_HZ)
    broken = make_folder(home / f"audio{n_clips}", n_clips)
    words = ["eval", "--audio", str(home / f"audio{n_clips}"), "--data", str(manifest), "--protocol", "signal"]
    words += ["--out", str(home / "results"), "--cache", str(home / f"cache{n_clips}")]
    words += ["--name", f"n{n_clips}", "--jobs", "1"]
    done = subprocess.run([sys.executable, "-c", RUN, *words], capture_output=True, text=True)
    result = json.loads(Path(done.stdout.strip()).read_text())
    named = {problem["clip_id"] for problem in result["problems"]}
    lost = sorted(broken[clip_id] for clip_id in set(broken) - named)
    scored = result["dataset"]["n_scored"]
    peak = done.stderr.strip().splitlines()[-1]
    tail = f"not named: {lost}" if lost or named - set(broken) else ""
    return f"| {n_clips} | {len(broken)} | {len(named)} | {scored} | {done.returncode} | {peak} | {tail}"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, nargs="+", default=[250, 500, 1000], help="sizes (default: 250 500 1000)")
    args = parser.parse_args()
    print("| clips | broken | named | scored | exit code | peak MB |\n|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for n_clips in args.clips:
            print(one(Path(folder), n_clips), flush=True)


if __name__ == "__main__":
    main()
