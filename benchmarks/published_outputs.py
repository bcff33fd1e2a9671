"""Score real outputs of published systems against the real audio, with what runs without any weights.

Wants a folder ``<site>/<clip>/{gt.mp4, <system>.m4a ...}``: for each clip the video with its real audio, and the
audio that published systems made for it. Every step is an ordinary foleybench command:

    python benchmarks/published_outputs.py --pairs PAIRS --out out/pairs --results leaderboards/results
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

SOUND = {".m4a", ".mp3", ".wav", ".flac"}


def main() -> int:
    """Lay the files out as foleybench wants them, prepare, score every system and the controls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, required=True, help="folder of <site>/<clip>/<system>.*")
    parser.add_argument("--out", type=Path, default=Path("out/pairs"), help="work folder (default: out/pairs)")
    parser.add_argument("--results", type=Path, default=Path("out/pairs/results"), help="folder of result files")
    parser.add_argument("--protocol", nargs="+", default=["signal"], help="one or more (default: signal)")
    args = parser.parse_args()
    sites = sorted(args.pairs.iterdir())
    codes = [score_site(site, args.out / site.name, args.results, args.protocol) for site in sites]
    return max(codes)


def score_site(site: Path, out: Path, results: Path, protocols: list[str]) -> int:
    """Score one site; return the worst exit code (3: something could not be scored, which the results name)."""
    systems = lay_out(site, out)
    name = f"pairs_{site.name}"
    data = out / "shards" / "test.manifest.jsonl"
    run("prepare", "folder", out / "gt", "--dataset-name", name, "--out", out / "shards", "--jobs", "2")
    codes = []
    for protocol in protocols:
        shared = ("--data", data, "--protocol", protocol, "--out", results, "--cache", out / "cache")
        codes += [run("eval", "--audio", out / "audio" / s, "--name", s, *shared) for s in sorted(systems)]
        codes.append(run("eval", "--controls", *shared, "--work", out / "controls"))
    return max(codes)


def lay_out(site: Path, out: Path) -> set[str]:
    """Link files as ``gt/<clip>.mp4`` and ``audio/<system>/<clip>.m4a``; return the systems."""
    systems = set()
    for clip in sorted(site.iterdir()):
        for path in sorted(clip.iterdir()):
            if path.stem == "gt":
                link(path, out / "gt" / f"{clip.name}{path.suffix}")
            elif path.suffix in SOUND:
                link(path, out / "audio" / path.stem / f"{clip.name}{path.suffix}")
                systems.add(path.stem)
    return systems


def link(target: Path, at: Path) -> None:
    """Make a symbolic link unless it is there."""
    at.parent.mkdir(parents=True, exist_ok=True)
    if not at.exists():
        at.symlink_to(target.resolve())


def run(*words: str | Path) -> int:
    """Run a foleybench command; stop on anything but 0 (done) and 3 (done, with problems that are named)."""
    done = subprocess.run([sys.executable, "-m", "foleybench.cli", *map(str, words)], check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(done.returncode)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
