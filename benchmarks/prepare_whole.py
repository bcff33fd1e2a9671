"""Whole `prepare` against video2dataset on the same local clips: files in, shards out, one process each, in turn.

video2dataset scales to 256 px, sets 25 frames a second and writes WebDataset shards, with one FFmpeg run a
step. Ours does that in one pass, writes the audio beside it, and computes hashes, prints and flags besides.
Start-up counts on both sides. The peer runs in a Python of its own (it wants an old NumPy): its commit
28e7d1c was used. Its download stage reads an attribute that two of its subsamplers lack; the script gives it
to them.

    python benchmarks/prepare_whole.py FOLDER --peer-python PYTHON [--rounds 2]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_PEER = """
import sys
from video2dataset.subsamplers import ResolutionSubsampler
ResolutionSubsampler.encode_formats = {"video": "mp4"}
from video2dataset import video2dataset
config = {
    "subsampling": {
        "ResolutionSubsampler": {"args": {"height": 256, "resize_mode": "scale"}},
        "FrameSubsampler": {"args": {"frame_rate": 25}},
    },
    "reading": {"yt_args": {}, "timeout": 60, "sampler": None},
    "storage": {"number_sample_per_shard": 1000, "oom_shard_count": 5, "captions_are_subtitles": False},
    "distribution": {
        "processes_count": 1, "thread_count": 1, "subjob_size": 1000, "distributor": "multiprocessing",
    },
}
if __name__ == "__main__":
    video2dataset(
        url_list=sys.argv[1], output_folder=sys.argv[2], output_format="webdataset", input_format="csv",
        url_col="url", encode_formats={"video": "mp4", "audio": "m4a"}, config=config,
    )
"""


def timed(words: list[str], wanted: Path) -> tuple[float, float]:
    """Run a command; return (wall, CPU) seconds of it and its children. It must leave ``wanted`` behind."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(words, env={**os.environ, "WANDB_MODE": "disabled"}, capture_output=True, text=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not wanted.is_file():
        raise SystemExit(f"{words[0]} left no {wanted.name}: {ended.stderr[-800:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Time both, in turn, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of .mp4 clips with audio")
    parser.add_argument("--peer-python", required=True, help="Python in which video2dataset is installed")
    parser.add_argument("--rounds", type=int, default=2, help="times that each is run (default: 2)")
    args = parser.parse_args()
    clips = sorted(args.folder.resolve().glob("*.mp4"))
    print(f"{len(clips)} clips")
    with tempfile.TemporaryDirectory() as home_name:
        home = Path(home_name)
        (home / "peer.py").write_text(_PEER)
        (home / "urls.csv").write_text("url\n" + "".join(f"{clip}\n" for clip in clips))
        for number in range(args.rounds):
            theirs = home / f"theirs{number}"
            words = [args.peer_python, str(home / "peer.py"), str(home / "urls.csv"), str(theirs)]
            peer = timed(words, theirs / "00000.tar")
            out = home / f"ours{number}"
            words = [sys.executable, "-m", "foleybench.cli", "prepare", "folder", str(args.folder), "--out", str(out)]
            ours = timed(words, out / "test.manifest.jsonl")
            print(f"wall s: video2dataset {peer[0]:.1f}, foleybench {ours[0]:.1f}, ratio {peer[0] / ours[0]:.2f}")
            print(f"CPU s:  video2dataset {peer[1]:.1f}, foleybench {ours[1]:.1f}, ratio {peer[1] / ours[1]:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
