"""Write what ``sfx`` makes of controls on real clips, from the results of ``real_outputs.py``.

python benchmarks/sfx_controls.py --results out/real/results --out benchmarks/results/sfx_controls_all.md
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import Any

from foleybench import registry
from foleybench.artefacts.entries import read_all
from foleybench.protocols.sfx import PROTOCOL

# From the real sound to what has nothing of it.
ORDER = {
    "ground_truth": "true",
    "shift_1s": "1 s late",
    "band_limited": "low-pass 4 kHz",
    "other_clip": "another clip",
    "noise": "noise",
}
PAGE = Path("benchmarks/results/sfx_controls_all.md")
Results = dict[str, dict[str, Any]]


def main() -> int:
    """Read the results, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("out/real/results"), help="results of real_outputs.py")
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results/sfx_controls_all.md"), help="page to write"
    )
    args = parser.parse_args()
    sets: dict[str, Results] = {}
    for entry in read_all(args.results):
        if entry.row_name in ORDER:
            sets.setdefault(str(entry.result["dataset"]["name"]), {})[entry.row_name] = dict(entry.result)
    lines = [*HEAD, "", *summary(sets), ""]
    for home, results in sorted(sets.items()):
        lines += [f"## {home}: {results['ground_truth']['dataset']['n_clips']} clips", "", *table(results), ""]
    args.out.write_text("\n".join(lines).rstrip("\n") + "\n", encoding="utf-8")
    return 0


def summary(sets: dict[str, Results]) -> list[str]:
    """Return, for each metric, in how many sets the controls are in order, and where not."""
    lines = ["| Metric | Sets in order | Out of order (sets) |", "|---|---:|---|"]
    for name in PROTOCOL.metrics:
        wrong: dict[str, list[str]] = {}
        known = 0
        for home, results in sorted(sets.items()):
            values = [results[control]["metrics"][name]["value"] for control in ORDER]
            if None in values:
                continue
            known += 1
            sign = -1 if registry.load("metrics", name).better == "higher" else 1
            for (first, a), (second, b) in itertools.pairwise(zip(ORDER, values, strict=True)):
                if sign * a > sign * b:
                    wrong.setdefault(f"{ORDER[second]} better than {ORDER[first]}", []).append(home)
        n_right = known - len({home for homes in wrong.values() for home in homes})
        told = "; ".join(f"{what} ({', '.join(homes)})" for what, homes in wrong.items())
        lines.append(f"| {registry.load('metrics', name).title} | {n_right} of {known} | {told or '-'} |")
    return lines


def table(results: Results) -> list[str]:
    """Return the values of a set with their intervals."""
    lines = ["| Metric | " + " | ".join(ORDER.values()) + " |", "|---|" + "---|" * len(ORDER)]
    for name in PROTOCOL.metrics:
        metric = registry.load("metrics", name)
        arrow = "↑" if metric.better == "higher" else "↓"
        cells = [cell(results[control]["metrics"][name]) for control in ORDER]
        lines.append(f"| {metric.title} {arrow} | {' | '.join(cells)} |")
    return lines


def cell(record: dict[str, Any]) -> str:
    """Return a value and its interval."""
    if record["value"] is None:
        return "no value"
    ends = "" if record["low"] is None else f" [{record['low']:.3g}, {record['high']:.3g}]"
    return f"{record['value']:.3g}{ends}"


HEAD = """\
<!-- Written by benchmarks/sfx_controls.py. Do not edit: run it again. -->

# What protocol `sfx` makes of controls on all real clips

The published sets of `leaderboards/real.md`; 95 % intervals over source videos. The order that is asked of a metric:
true sound, 1 s late, low-pass at 4 kHz, another clip of the set, white noise. Made by

```
python benchmarks/real_outputs.py --pairs PAIRS
python benchmarks/sfx_controls.py
```

Metrics that hear one side of a sound are not meant to keep this order: onsets and level over time lose late sound and
keep low-passed sound, spectra the other way round. FAD has no value below 16 clips. KAD and retrieval compare with the
whole set, where other clips of the same set are at home. Clips of 2 s lose half of themselves to a second of silence.
""".splitlines()


if __name__ == "__main__":
    sys.exit(main())
