"""Normalising real clips against the ffmpeg command line doing the same job: processor seconds per clip, in one run.

The same job: decode, the frame on screen at k / 25, short side 256, H.264 at CRF 18 with one thread, audio as mono
FLAC. Processor time is counted, not wall time, so that other work on the machine does not matter; the two take turns.

    python benchmarks/prepare_speed.py FOLDER [--ffmpeg PATH] [--limit N] [--rounds N]
"""

from __future__ import annotations

import argparse
import itertools
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from foleybench.api.dataset import PROFILES
from foleybench.errors import MediaError
from foleybench.prepare.normalise.normalise import normalise
from foleybench.prepare.obtain.local import VIDEO_ENDINGS

_SCALE = "scale=w='if(gt(iw,ih),-2,min(256,iw))':h='if(gt(iw,ih),min(256,ih),-2)':flags=bicubic"
_PICTURE = f"-map 0:v:0 -t 10 -vf fps=25,{_SCALE} -c:v libx264 -preset veryfast -crf 18 -bf 0 -threads 1"
_SOUND = "-map 0:a:0 -t 10 -ac 1 -c:a flac"


def main() -> None:
    """Time both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of clips with video and audio")
    parser.add_argument("--ffmpeg", default=shutil.which("ffmpeg"), help="the ffmpeg program (default: on PATH)")
    parser.add_argument("--limit", type=int, default=20, help="clips to time (default: 20)")
    parser.add_argument("--rounds", type=int, default=3, help="times that each is run; the least counts (default: 3)")
    args = parser.parse_args()
    if args.ffmpeg is None:
        parser.error("no ffmpeg on PATH; give one with --ffmpeg")
    paths = (path for path in sorted(args.folder.rglob("*")) if path.suffix.lower() in VIDEO_ENDINGS and usable(path))
    ours, theirs = [], []
    for path in itertools.islice(paths, args.limit):
        pairs = [(time_ours(path), time_ffmpeg(args.ffmpeg, path)) for _ in range(args.rounds)]
        mine, other = (min(column) for column in zip(*pairs, strict=True))
        ours.append(mine)
        theirs.append(other)
        print(f"{path.name:44s} ours {mine:6.3f} s   ffmpeg {other:6.3f} s   ratio {other / mine:5.2f}", flush=True)
    print(
        f"{len(ours)} clips: ours {np.mean(ours):.3f} s a clip, ffmpeg {np.mean(theirs):.3f} s a clip; "
        f"speed of ours over ffmpeg {sum(theirs) / sum(ours):.2f} (median {np.median(np.divide(theirs, ours)):.2f})"
    )


def usable(path: Path) -> bool:
    """Whether both do the same job on a clip: ours pads what starts late, ffmpeg does not. Also warms the cache."""
    try:
        return abs(normalise(path, PROFILES["default"]).facts["av_offset_s"]) < 0.1
    except MediaError:
        return False


def time_ours(path: Path) -> float:
    """Return processor seconds of one normalisation, media written to memory."""
    started = time.process_time()
    normalise(path, PROFILES["default"])
    return time.process_time() - started


def time_ffmpeg(ffmpeg: str, path: Path) -> float:
    """Return processor seconds of the command line, its start included (about 0.03 s)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            ffmpeg,
            "-nostdin",
            "-loglevel",
            "error",
            "-threads",
            "1",
            "-filter_threads",
            "1",
            "-i",
            f"file:{path}",
        ]
        command += [*_PICTURE.split(), f"{folder}/v.mp4", *_SOUND.split(), f"{folder}/a.flac"]
        before = _children_s()
        subprocess.run(command, check=True)
        return _children_s() - before


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
