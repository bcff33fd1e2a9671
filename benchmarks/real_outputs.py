"""Score published outputs against their real sound under ``sfx``, for ``leaderboards/real.md``.

Wants a folder ``<set>/<clip>/{gt.mp4, <system>.m4a ...}``, as ``published_outputs.py``. Every set is scored as it lies,
each system and the controls; what the table is made of is written: a line a clip, system and metric, with the hash of
the sound that was scored. ``real_table.py`` makes the page from it.

    python benchmarks/real_outputs.py --pairs PAIRS --out out/real --values leaderboards/real.csv
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from published_outputs import lay_out

from foleybench import registry
from foleybench.artefacts.entries import ResultEntry, read_all
from foleybench.cli import main as foleybench

CONTROLS = ("ground_truth", "shift_1s", "band_limited", "other_clip", "noise")
FIELDS = ("set", "clip", "system", "kind", "metric", "version", "value", "audio_sha256")


def main() -> int:
    """Score all sets, then write the values of every clip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="folder of <set>/<clip>/<system>.*")
    parser.add_argument("--out", type=Path, default=Path("out/real"), help="work folder (default: out/real)")
    parser.add_argument("--values", type=Path, default=Path("leaderboards/real.csv"), help="table to write")
    parser.add_argument("--set", action="append", default=[], help="only this set; may be given again")
    args = parser.parse_args()
    for home in sorted(args.pairs.iterdir()):
        if not args.set or home.name in args.set:
            score_set(home, args.out)
    write_values(args.out / "results", args.values)
    return 0


def score_set(home: Path, out: Path) -> None:
    """Score the systems of a set and the controls; what is there already is not scored again."""
    work, results = out / home.name, out / "results"
    systems = sorted(lay_out(home, work))
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


def write_values(results: Path, path: Path) -> None:
    """Write the value of every clip, system and metric that has values of clips."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(FIELDS)
        for entry in read_all(results):
            writer.writerows(lines_of(entry))


def lines_of(entry: ResultEntry) -> Iterator[tuple[object, ...]]:
    """Yield the lines of a result."""
    result = entry.result
    hashes = {row["clip_id"]: row.get("audio_sha256", "") for row in entry.rows}
    for name, record in sorted(result["metrics"].items()):
        metric = registry.load("metrics", name)
        if metric.clip_value is None or entry.lacks(name):
            continue
        for clip_id, stat in sorted(entry.stats(name).items()):
            value = f"{metric.clip_value(stat):.6g}"
            kind = result["model"]["kind"]
            yield (
                *(result["dataset"]["name"], clip_id, entry.row_name, kind),
                *(name, record["version"], value, hashes[clip_id]),
            )


if __name__ == "__main__":
    sys.exit(main())
