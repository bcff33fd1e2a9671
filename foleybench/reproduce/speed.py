"""Generation speed against the number of network evaluations, with the quality beside it."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foleybench.leaderboard.load import Entry
from foleybench.manifest import write_atomically
from foleybench.reproduce.grids import FULL, MODEL, Grid, Row
from foleybench.reproduce.plan import Setup, plan, row_name, scoring, training_name
from foleybench.steps import Step

NFES = (1, 2, 4, 8, 25)
METRICS = ("event_f1", "class_accuracy", "fad_mini")
_ROW = Row(label="Foley-Flow", variant=FULL)


def result_name(setup: Setup, nfe: int) -> str:
    """Return the name of the result of one number of evaluations."""
    return f"speed-{row_name(setup, _ROW, 0)}-evaluations{nfe}"


def steps(setup: Setup) -> list[Step]:
    """Return the steps: one training run (shared with the tables), one score a number of evaluations.

    The scores come one after the other, so that none of them is timed while another computes; for figures to quote,
    run this alone on the machine, with one job.
    """
    alone = dataclasses.replace(setup, seeds=1, nfe=None)
    trained = training_name(setup, FULL, 0)
    grid = Grid(number="", title="", rows=(_ROW,), reading="")
    found = [step for step in plan(alone, [grid]) if not step.name.startswith("eval-")]
    before = trained
    for nfe in NFES:
        name = result_name(setup, nfe)
        words = ("eval", "--model", MODEL, "--checkpoint", str(setup.work / "runs" / trained), "--name", name)
        found.append(Step(f"eval-{name}", (*words, "--nfe", str(nfe), *scoring(setup)), (before,)))
        before = f"eval-{name}"
    return found


def write(setup: Setup, results: Mapping[str, Entry], out: Path) -> list[str]:
    """Write the figure and its numbers; return the names of the results that are missing."""
    names = {nfe: result_name(setup, nfe) for nfe in NFES}
    found = {nfe: results[name].result for nfe, name in names.items() if name in results}
    if found:
        rows = [_row_of(nfe, result) for nfe, result in found.items()]
        write_atomically(out / "speed.csv", _csv(rows).encode())
        write_atomically(out / "speed.md", _markdown(rows, next(iter(found.values()))).encode())
        _draw(rows, out / "speed.png")
    return [name for nfe, name in names.items() if nfe not in found]


def _row_of(nfe: int, result: Mapping[str, Any]) -> dict[str, float]:
    speed = result["run"]["generation"]["speed"]["batch_1"]
    row = {"nfe": float(nfe), **speed}
    for name in METRICS:
        record = result["metrics"][name]
        row |= {name: record["value"], f"{name}_low": record["low"], f"{name}_high": record["high"]}
    return row


def _csv(rows: Sequence[Mapping[str, float]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _markdown(rows: Sequence[Mapping[str, float]], result: Mapping[str, Any]) -> str:
    run = result["run"]
    lines = [
        "<!-- Written by `foleybench reproduce speed`. Do not edit: run it again. -->",
        "# Generation speed and quality",
        "",
        f"Made by `foleybench reproduce speed`. Device {run['device']}, {run['generation']['threads']} thread(s), "
        "one clip at a time after a warm-up. Timed: picture features, network, vocoder; not decoding and writing. "
        f"Seed 0, {result['dataset']['n_clips']} clips of {result['dataset']['name']} {result['dataset']['split']}.",
        "",
        "| Evaluations | Seconds per clip | Real-time factor | Event F1 (50 ms) ↑ | Class accuracy ↑ | FAD (mini) ↓ |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        cells = [_cell(row, name, digits) for name, digits in zip(METRICS, (3, 3, 1), strict=True)]
        speed = f"{row['nfe']:.0f} | {row['seconds_per_clip']:.4f} | {row['real_time_factor']:.4f}"
        lines.append(f"| {speed} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "![Speed and quality](speed.png)", ""])


def _cell(row: Mapping[str, float], name: str, digits: int) -> str:
    return f"{row[name]:.{digits}f} [{row[f'{name}_low']:.{digits}f}, {row[f'{name}_high']:.{digits}f}]"


def _draw(rows: Sequence[Mapping[str, float]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    nfe = [row["nfe"] for row in rows]
    titles = ("Real-time factor (lower is faster)", "Event F1 at 50 ms", "Class accuracy", "FAD (mini)")
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.2), layout="constrained")
    for axis, name, title in zip(axes, ("real_time_factor", *METRICS), titles, strict=True):
        values = [row[name] for row in rows]
        if f"{name}_low" in rows[0]:
            below = [value - row[f"{name}_low"] for value, row in zip(values, rows, strict=True)]
            above = [row[f"{name}_high"] - value for value, row in zip(values, rows, strict=True)]
            axis.errorbar(nfe, values, yerr=[below, above], marker="o", capsize=3)
        else:
            axis.plot(nfe, values, marker="o")
        axis.set(title=title, xlabel="network evaluations", xscale="log", xticks=nfe)
        axis.set_xticks(nfe, [f"{value:.0f}" for value in nfe])
        axis.minorticks_off()
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp.png")
    figure.savefig(temporary, dpi=110, metadata={"Software": ""})
    plt.close(figure)
    temporary.replace(path)
