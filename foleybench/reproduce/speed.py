"""Measure speed and quality against the number of network evaluations."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foleybench.artefacts.entries import ResultEntry
from foleybench.files import write_atomically
from foleybench.reproduce.cores import FULL
from foleybench.reproduce.plan import Setup, learn, row_name, scoring, table_steps, training_name
from foleybench.reproduce.rows import MODEL, Grid, GridRow
from foleybench.runtime.command_plan import Step

NFES = (1, 2, 4, 8, 25)
# Heads fine-tuned from the same flow to need one evaluation.
HEADS = ("imf", "reflow")
METRICS = ("event_f1_25ms", "class_accuracy", "fad_mini")
_ROW = GridRow(label="Foley-Flow", variant=FULL)


def result_name(setup: Setup, nfe: int) -> str:
    """Return the name of the result of one number of evaluations."""
    return f"speed-{row_name(setup, _ROW, 0)}-evaluations{nfe}"


def head_name(setup: Setup, head: str) -> str:
    """Return the name of the result of a 1-step head."""
    return f"speed-{row_name(setup, _ROW, 0)}-head-{head}"


def speed_steps(setup: Setup) -> list[Step]:
    """Return the steps: one training run (shared with the tables), the heads, and one score a row of the figure.

    The scores come one after the other, so that none of them is timed while another computes; for figures to quote,
    run this alone on the machine, with one job.
    """
    alone = dataclasses.replace(setup, seeds=1, nfe=None)
    trained = training_name(setup, FULL, 0)
    folder = setup.work / "runs" / trained
    grid = Grid(number="", title="", rows=(_ROW,), reading="")
    found = [step for step in table_steps(alone, [grid]) if not step.name.startswith("eval-")]
    before = trained
    rows: list[tuple[str, Path, tuple[str, ...]]]
    rows = [(result_name(setup, nfe), folder, ("--nfe", str(nfe))) for nfe in NFES]
    for head in HEADS:
        name = f"{trained}-{head}"
        out = folder.with_name(name)
        words = ("train", MODEL, *learn(setup, 0, {"flow": str(folder), "head": head}), "--out", str(out))
        found.append(Step(name, words, (before,)))
        rows.append((head_name(setup, head), out, ()))
        before = name
    for name, checkpoint, evaluations in rows:
        words = ("eval", "--model", MODEL, "--checkpoint", str(checkpoint), "--name", name)
        found.append(Step(f"eval-{name}", (*words, *evaluations, *scoring(setup)), (before,)))
        before = f"eval-{name}"
    return found


def write_speed(setup: Setup, results: Mapping[str, ResultEntry], out: Path) -> list[str]:
    """Write the figure and its numbers; return the names of the results that are missing."""
    names = {(nfe, ""): result_name(setup, nfe) for nfe in NFES}
    names |= {(1, head): head_name(setup, head) for head in HEADS}
    found = {key: results[name].result for key, name in names.items() if name in results}
    if found:
        rows = [_row_of(nfe, head, result) for (nfe, head), result in found.items()]
        write_atomically(out / "speed.csv", _csv(rows).encode())
        write_atomically(out / "speed.md", _markdown(rows, next(iter(found.values()))).encode())
        _draw(rows, out / "speed.png")
    return [name for name in names.values() if name not in results]


def _row_of(nfe: int, head: str, result: Mapping[str, Any]) -> dict[str, Any]:
    speed = result["run"]["generation"]["speed"]["batch_1"]
    row = {"nfe": nfe, "head": head, **speed}
    for name in METRICS:
        record = result["metrics"][name]
        row |= {name: record["value"], f"{name}_low": record["low"], f"{name}_high": record["high"]}
    return row


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _markdown(rows: Sequence[Mapping[str, Any]], result: Mapping[str, Any]) -> str:
    run = result["run"]
    lines = [
        "<!-- Written by `foleybench reproduce speed`. Do not edit: run it again. -->",
        "# Generation speed and quality",
        "",
        f"Made by `foleybench reproduce speed`. Device {run['device']}, {run['generation']['threads']} thread(s), "
        "one clip at a time after a warm-up. Timed: video features, network, vocoder; not decoding and writing. "
        f"Seed 0, {result['dataset']['n_clips']} clips of {result['dataset']['name']} {result['dataset']['split']}.",
        "",
        "| Evaluations | Seconds per clip | Real-time factor | Event F1 (25 ms) ↑ | Class accuracy ↑ | FAD (mini) ↓ |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        cells = [_cell(row, name, digits) for name, digits in zip(METRICS, (3, 3, 1), strict=True)]
        head = f" (head `{row['head']}`)" if row["head"] else ""
        speed = f"{row['nfe']}{head} | {row['seconds_per_clip']:.4f} | {row['real_time_factor']:.4f}"
        lines.append(f"| {speed} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "![Speed and quality](speed.png)", ""])


def _cell(row: Mapping[str, Any], name: str, digits: int) -> str:
    return f"{row[name]:.{digits}f} [{row[f'{name}_low']:.{digits}f}, {row[f'{name}_high']:.{digits}f}]"


def _points(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[list[int], list[float], list[list[float]]]:
    """Return places, values, and the lengths of the error bars below and above."""
    values = [row[name] for row in rows]
    below = [value - row.get(f"{name}_low", value) for value, row in zip(values, rows, strict=True)]
    above = [row.get(f"{name}_high", value) - value for value, row in zip(values, rows, strict=True)]
    return [row["nfe"] for row in rows], values, [below, above]


def _draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    flow, heads = [[row for row in rows if bool(row["head"]) == fine_tuned] for fine_tuned in (False, True)]
    nfe = [row["nfe"] for row in flow]
    titles = ("Real-time factor (lower is faster)", "Event F1 at 25 ms", "Class accuracy", "FAD (mini)")
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.2), layout="constrained")
    for axis, name, title in zip(axes, ("real_time_factor", *METRICS), titles, strict=True):
        for part, style in ((flow, "o-"), *(([row], "s") for row in heads)):
            label = f"head {part[0]['head']}" if part and part[0]["head"] else None
            axis.errorbar(*_points(part, name), fmt=style, capsize=3, label=label)
        axis.set(title=title, xlabel="network evaluations", xscale="log", xticks=nfe)
        axis.set_xticks(nfe, [str(value) for value in nfe])
        axis.minorticks_off()
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    if heads:
        axes[0].legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp.png")
    figure.savefig(temporary, dpi=110, metadata={"Software": ""})
    plt.close(figure)
    temporary.replace(path)
