"""Copies that ``prepare`` finds among re-encoded, smaller, quieter and cut clips, and pairs it wrongly calls copies.

The first --limit clips of FOLDER are changed in each of the ways below with the ffmpeg command line, and all clips of
the folder, changed or not, go through ``foleybench prepare folder``. A changed clip counts as found when the manifest
says that it and its original are copies of one clip. A pair of clips of different files that the manifest calls
copies is named, for a person to judge: a folder may hold copies of its own. Beside the rates stand the shares of bits
in which the prints differ, over the changed clips and over all pairs of different files.

    python benchmarks/duplicate_rates.py FOLDER [--limit 20] [--jobs 1] [--ffmpeg PATH]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from foleybench.cli import main as foleybench
from foleybench.prepare.normalise.fingerprint import bit_difference
from foleybench.prepare.obtain.local import VIDEO_ENDINGS
from foleybench.shards.manifest import Entry, manifest_path, read_manifest

_H264 = "-c:v libx264 -preset veryfast -threads 1 -crf"
_HALF = "-vf scale=w='trunc(iw/4)*2':h='trunc(ih/4)*2'"
CHANGES = {
    "H.264 at CRF 28, AAC 96 kb/s": f"{_H264} 28 -c:a aac -b:a 96k",
    "H.264 at CRF 38, AAC 32 kb/s": f"{_H264} 38 -c:a aac -b:a 32k",
    "half the size": f"{_HALF} {_H264} 23 -c:a aac -b:a 128k",
    "12 dB quieter": "-c:v copy -af volume=-12dB -c:a aac -b:a 128k",
    "mono, 16 kHz": "-c:v copy -ac 1 -ar 16000 -c:a aac -b:a 48k",
    "first 20 ms cut off": f"-ss 0.02 {_H264} 23 -c:a aac -b:a 128k",
    "first 40 ms cut off": f"-ss 0.04 {_H264} 23 -c:a aac -b:a 128k",
    "first 60 ms cut off": f"-ss 0.06 {_H264} 23 -c:a aac -b:a 128k",
    "half size, CRF 30, 6 dB quieter, 20 ms cut off": f"-ss 0.02 {_HALF} {_H264} 30 -af volume=-6dB -c:a aac -b:a 64k",
}
_UNCHANGED = "unchanged"


def main() -> None:
    """Change, prepare, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of clips with video and audio")
    parser.add_argument("--limit", type=int, default=20, help="clips that are changed (default: 20)")
    parser.add_argument("--jobs", type=int, default=1, help="workers of prepare (default: 1)")
    parser.add_argument("--ffmpeg", default=shutil.which("ffmpeg"), help="the ffmpeg program (default: on PATH)")
    args = parser.parse_args()
    if args.ffmpeg is None:
        parser.error("no ffmpeg on PATH; give one with --ffmpeg")
    paths = [path for path in sorted(args.folder.rglob("*")) if path.suffix.lower() in VIDEO_ENDINGS]
    with tempfile.TemporaryDirectory() as temporary:
        media = Path(temporary, "media")
        media.mkdir()
        originals = copy_all(paths, media)
        changed = change(args.ffmpeg, originals, media, args.limit)
        entries = prepare(media, Path(temporary, "out"), [*originals, *changed], args.jobs)
    tell(entries, paths)


Row = tuple[str, str, str]  # path in the folder, clip id, label: the number of the file and how it was changed


def copy_all(paths: Sequence[Path], media: Path) -> list[Row]:
    """Copy the clips to names that say nothing; return their rows."""
    rows = []
    for k, path in enumerate(paths):
        name = f"a{k:05d}{path.suffix.lower()}"
        shutil.copyfile(path, media / name)
        rows.append((name, f"a{k:05d}_000000", f"{k}/{_UNCHANGED}"))
    return rows


def change(ffmpeg: str, originals: Sequence[Row], media: Path, limit: int) -> list[Row]:
    """Change the first clips that have video and audio in each way; return the rows of the changed ones."""
    rows: list[Row] = []
    n_changed = 0
    for k, (name, _, _) in enumerate(originals):
        made = [_changed(ffmpeg, media / name, media, f"b{k:05d}c{j}", way) for j, way in enumerate(CHANGES.values())]
        if None in made:
            continue
        for path, words in zip(made, CHANGES, strict=True):
            assert path is not None
            rows.append((path.name, f"{path.stem}_000000", f"{k}/{words}"))
        n_changed += 1
        if n_changed == limit:
            break
    return rows


def _changed(ffmpeg: str, source: Path, media: Path, stem: str, way: str) -> Path | None:
    path = media / f"{stem}.mkv"
    command = [ffmpeg, "-nostdin", "-loglevel", "error", "-y", "-i", f"file:{source}", "-t", "12"]
    command += ["-map", "0:v:0", "-map", "0:a:0", *way.split(), f"file:{path}"]
    if subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode:
        path.unlink(missing_ok=True)
        return None
    return path


def prepare(media: Path, out: Path, rows: Sequence[Row], jobs: int) -> list[Entry]:
    """Run ``foleybench prepare folder``; return the clips that it made."""
    names = media.parent / "names.csv"
    with names.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([("path", "clip_id", "label"), *rows])
    foleybench(
        ["prepare", "folder", str(media), "--names", str(names), "--out", str(out), "--jobs", str(jobs)],
    )
    return read_manifest(manifest_path(out, "test")).ok()


def tell(entries: Sequence[Entry], paths: Sequence[Path]) -> None:
    """Print the rates, the wrong pairs, and by how many bits prints differ."""
    first = {entry.clip_id: str(entry.facts.get("duplicate_of", entry.clip_id)) for entry in entries}
    kinds = {entry.clip_id: entry.facts.get("duplicate_kind") for entry in entries}
    originals = {number: entry for entry in entries for number, how in [_label(entry)] if how == _UNCHANGED}
    print(f"{len(entries)} clips of {len(originals)} files; the median and the most of the bits that differ:")
    print(f"{'change':48s} found as a copy             audio           video")
    for words in CHANGES:
        pairs = [(originals[n], e) for e in entries for n, how in [_label(e)] if how == words and n in originals]
        found = sum(first[a.clip_id] == first[b.clip_id] and kinds[b.clip_id] != "same_sound" for a, b in pairs)
        sounds, pictures = (_differences(pairs, key) for key in ("sound_print", "picture_print"))
        print(f"{words:48s} {found:4d} of {len(pairs):4d}   {_spread(sounds):>16s}  {_spread(pictures):>16s}")
    wrong = [e for e in entries if _label(e)[0] != int(first[e.clip_id][1:6])]
    groups = {(int(first[e.clip_id][1:6]), _label(e)[0]) for e in wrong}
    n_pairs = len(originals) * (len(originals) - 1) // 2
    print(f"pairs of different files called copies: {len(groups)} of {n_pairs}")
    for a, b in sorted(groups):
        how = sorted({str(kinds[e.clip_id]) for e in wrong if _label(e)[0] == b})
        print(f"  {paths[b].name} of {paths[a].name} ({', '.join(how)})")
    others = [pair for pair in itertools.combinations(originals.values(), 2)]
    for key in ("sound_print", "picture_print"):
        differ = np.sort(_differences(others, key))
        least = np.round(differ[:5], 3).tolist()
        print(f"{key} of different files: the least five {least}, the median {np.median(differ):.3f}")


def _label(entry: Entry) -> tuple[int, str]:
    number, _, how = str(entry.label).partition("/")
    return int(number), how


def _differences(pairs: Sequence[tuple[Entry, Entry]], key: str) -> list[float]:
    prints = [(a.facts[key], b.facts[key]) for a, b in pairs]
    return [bit_difference(a, b) for a, b in prints if a is not None and b is not None]


def _spread(values: Sequence[float]) -> str:
    return f"{np.median(values):.3f} to {max(values):.3f}" if values else "no prints"


if __name__ == "__main__":
    main()
