"""Score published outputs against their real sound under ``sfx``, for ``leaderboards/real.md``.

Wants a folder ``<set>/<clip>/{gt.mp4, <system>.m4a ...}``, as ``published_outputs.py``. Every set is scored, each
system and the controls; a clip that an output does not cover is cut first (``common_length.py``). What the table is
made of is written: a line a clip and system, with the clip's length, the hash of the sound that was scored and the
clip's value by each metric; then the page (``real_table.py`` alone makes it from the values).

    python benchmarks/real_outputs.py --pairs PAIRS
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from common_length import CUT_FILE, cut_clips, cut_to_common_length, require_whole
from published_outputs import lay_out
from real_table import write_page

from foleybench import registry
from foleybench.artefacts.entries import ResultEntry, read_all
from foleybench.cli import main as foleybench

CONTROLS = ("ground_truth", "shift_1s", "band_limited", "other_clip", "noise")
FIELDS = ("set", "system", "kind", "clip", "seconds", "cut_from_seconds", "audio_sha256")


def main() -> int:
    """Score all sets, then write the values of every clip, and the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="folder of <set>/<clip>/<system>.*")
    parser.add_argument("--out", type=Path, default=Path("out/real"), help="work folder (default: out/real)")
    parser.add_argument("--values", type=Path, default=Path("leaderboards/real.csv"), help="table to write")
    parser.add_argument("--page", type=Path, default=Path("leaderboards/real.md"), help="page to write")
    parser.add_argument("--published", type=Path, default=Path("leaderboards/published.csv"), help="reported values")
    parser.add_argument("--set", action="append", default=[], help="only this set; may be given again")
    args = parser.parse_args()
    for home in sorted(args.pairs.iterdir()):
        if not args.set or home.name in args.set:
            score_set(home, args.out)
    write_values(args.out, args.values)
    write_page(args.values, args.published, args.page)
    return 0


def score_set(home: Path, out: Path) -> None:
    """Score the systems of a set and the controls; what is there already is not scored again."""
    work, results = out / home.name, out / "results"
    if (work / CUT_FILE).is_file():
        systems = sorted(path.name for path in (work / "audio").iterdir())
    else:
        systems = sorted(lay_out(home, work))
        cut_to_common_length(work)
    same = ["--reference", work / "gt", "--dataset-name", home.name, "--protocol", "sfx", "--out", results]
    same += ["--cache", work / "cache", "--jobs", "1"]
    done = {path.name.split(".")[0] for path in (results / home.name).glob("*.json")}
    for name in systems:
        if name not in done:
            run("eval", "--audio", work / "audio" / name, "--name", name, *same)
    for name in CONTROLS:
        if name not in done:
            run("eval", "--model", name, "--work", work / "controls", *same)


def run(*words: str | Path) -> None:
    """Run a foleybench command; stop on anything but 0 (done) and 3 (done, with problems that are named)."""
    code = foleybench([*map(str, words)])
    if code not in (0, 3):
        raise SystemExit(code)


def write_values(out: Path, path: Path) -> None:
    """Write a line a clip and system: length, hash of the sound, then the clip's value by each metric that has such."""
    entries = read_all(out / "results")
    lines = [line for entry in entries for line in lines_of(entry, cut_clips(out / entry.result["dataset"]["name"]))]
    metrics = sorted({name for line in lines for name in line if name not in FIELDS})
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, (*FIELDS, *metrics), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def lines_of(entry: ResultEntry, cut: Mapping[str, float]) -> Iterator[dict[str, str]]:
    """Yield the lines of a result; a metric's column says its version: ``kld_aisfx:1``.

    Args:
        entry: The result; its outputs must cover their clips.
        cut: Clip -> seconds of the real sound before it was cut.
    """
    result = entry.result
    require_whole(result)
    values: dict[str, dict[str, str]] = {}
    for name, record in sorted(result["metrics"].items()):
        metric = registry.load("metrics", name)
        if metric.clip_value is not None and not entry.lacks(name):
            for clip_id, stat in entry.stats(name).items():
                values.setdefault(clip_id, {})[f"{name}:{record['version']}"] = f"{metric.clip_value(stat):.6g}"
    same = {"set": result["dataset"]["name"], "system": entry.row_name, "kind": result["model"]["kind"]}
    for row in sorted(entry.rows, key=lambda row: str(row["clip_id"])):
        clip = str(row["clip_id"])
        seconds = "" if row["duration_s"] is None else f"{row['duration_s']:.4f}"
        lengths = {"seconds": seconds, "cut_from_seconds": str(cut.get(clip, ""))}
        yield {**same, "clip": clip, **lengths, "audio_sha256": row.get("audio_sha256", ""), **values.get(clip, {})}


if __name__ == "__main__":
    sys.exit(main())
