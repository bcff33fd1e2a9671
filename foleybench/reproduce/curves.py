"""Keep and sum up the losses of a table's training runs.

A budget that ends in the middle of learning compares how fast rows learn. The logs lie in the work folder, which is not
committed; the file of curves beside the table is, and the page is written from it where there are no logs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from foleybench.reproduce.kept import kept_beside
from foleybench.reproduce.measure import Measured
from foleybench.reproduce.plan import Setup, training_name
from foleybench.reproduce.rows import Grid, Variant
from foleybench.reproduce.scored_runs import seeds_at_hand

_PART = 0.2


class Point(NamedTuple):
    """One logged loss."""

    row: str
    seed: int
    stage: str
    step: int
    loss: float

    @property
    def part(self) -> str:
        """The stage, which is a part of the run."""
        return self.stage


def learning_curves(setup: Setup, grid: Grid, measured: Mapping[str, Measured], path: Path) -> list[Point]:
    """Return the losses of the runs that made a table's results; of runs that are not at hand, those of the file.

    Args:
        setup: Where runs lie.
        grid: The table.
        measured: Row label -> results; a run of other weights, or one that is under way, tells nothing of them.
        path: The file, CSV; written when some run has a log.
    """
    found = [
        point
        for row in grid.rows
        if row.variant and row.label in measured
        for seed in seeds_at_hand(setup, row, measured[row.label])
        for log in _logs(setup, row.variant, seed)
        for point in _logged(log, row.label, seed)
    ]
    return kept_beside(path, grid, found, _read, lambda one: {**one._asdict(), "loss": repr(one.loss)})


def _read(line: Mapping[str, str]) -> Point:
    return Point(line["row"], int(line["seed"]), line["stage"], int(line["step"]), float(line["loss"]))


def training_text(points: Sequence[Point], file_name: str) -> str:
    """Return the part of a page on training: of every row and stage the steps, and how the loss ended; empty for none.

    Args:
        points: The curves.
        file_name: Name of their file.
    """
    if not points:
        return ""
    lines = [
        "| Row | Stage | Steps | Loss, last fifth | against the fifth before |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for row, stage in dict.fromkeys((point.row, point.stage) for point in points):
        curve = [point for point in points if (point.row, point.stage) == (row, stage)]
        steps = max(point.step for point in curve) + 1
        last = _mean(curve, (1 - _PART) * steps, steps)
        before = _mean(curve, (1 - 2 * _PART) * steps, (1 - _PART) * steps)
        change = "" if before is None or last is None or not before else f"{100 * (last / before - 1):+.1f} %"
        lines.append(f"| {row} | {stage} | {steps} | {'' if last is None else f'{last:.4f}'} | {change} |")
    words = (
        f"Mean over seeds of the training loss (`{file_name}`). Losses of different stages and objectives have "
        "different units. A loss that still falls fast at the end says that the budget stops in the middle of "
        "learning; the rows' order may then be one of speed."
    )
    return "\n".join(["## Training", "", *lines, "", words])


def _mean(curve: Sequence[Point], first: float, end: float) -> float | None:
    losses = [point.loss for point in curve if first <= point.step < end]
    return sum(losses) / len(losses) if losses else None


def _logs(setup: Setup, variant: Variant, seed: int) -> list[Path]:
    """Return the logs of the parts that a variant takes from other runs, then of the stages that it trains itself."""
    taken = [
        setup.work / "runs" / training_name(setup, variant.trainer_of(part), seed) / part for part in variant.takes
    ]
    own = (setup.work / "runs" / training_name(setup, variant, seed)).glob("*/log.jsonl")
    return [*(log for folder in taken if (log := folder / "log.jsonl").is_file()), *sorted(own)]


def _logged(log: Path, row: str, seed: int) -> Iterable[Point]:
    """Return the logged losses of a stage."""
    for line in log.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if "loss" in record:
            yield Point(row, seed, log.parent.name, int(record["step"]), float(record["loss"]))
