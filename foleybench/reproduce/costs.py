"""Keep what each row of a table costs, and show it.

Costs are parameters, training, evaluations and time. Times of training and of generation are kept beside the table;
parameters and evaluations are in the result files.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from foleybench.reproduce.cells import evaluations_made, markdown_table
from foleybench.reproduce.kept import kept_beside
from foleybench.reproduce.measure import Measured
from foleybench.reproduce.plan import Setup, training_name
from foleybench.reproduce.rows import Grid, Variant
from foleybench.reproduce.scored_runs import seeds_at_hand
from foleybench.reproduce.timing import ROUNDS, RowTime

_HEAD = (
    "Row",
    "Parameters",
    "Training, own parts (min)",
    "Training, shared parts (min)",
    "Evaluations",
)
_TIMED = ("Seconds a clip", "Real-time factor")
_WORDS = (
    "Parameters are those used at generation, with the video network. Minutes of training are wall time of a process "
    "of one thread beside the other jobs of the plan, or, marked CPU, the time that processors gave to that process "
    "(where a run was resumed, of all its processes; in rows from before 29 November 2026, of its last one alone); "
    "shared parts are trained once for all rows that take them, and are counted in each. Evaluations of networks for a "
    "clip of 4 s: passes of unlike networks, forward or backward, are counted alike (model cards say which), so they "
    "do not compare in work; none where no network is sampled. Minutes are medians over seeds, which may have "
    "been made on machines of unequal speed and load."
)
_TIMED_WORDS = (
    "Seconds and factor are of one clip at a time, on one thread of a CPU or a whole GPU, video features to vocoder: "
    f"all rows in turn in each of {ROUNDS} rounds of one process, after the other jobs of the plan, seed 0; median "
    "over the rounds (quartiles)."
)


class Trained(NamedTuple):
    """Time that one part of a row took to train.

    Attributes:
        row: Label of the row.
        seed: Training seed.
        part: Name of the part.
        shared: Whether it was trained in another run, from which the row takes it.
        seconds: Wall seconds.
        cpu_seconds: Processor seconds; None for runs of before they were counted.
        device: Torch device type.
    """

    row: str
    seed: int
    part: str
    shared: bool
    seconds: float
    cpu_seconds: float | None = None
    device: str = "cpu"


def training_times(setup: Setup, grid: Grid, measured: Mapping[str, Measured], path: Path) -> list[Trained]:
    """Return the times of the runs that made a table's results; of runs that are not at hand, those of the file.

    Args:
        setup: Where runs lie.
        grid: The table.
        measured: Row label -> results; a run of other weights tells nothing of them.
        path: The file, CSV; written when some run is there.
    """
    found = [
        Trained(row.label, seed, part, shared, *seconds)
        for row in grid.rows
        if row.variant and row.label in measured
        for seed in seeds_at_hand(setup, row, measured[row.label])
        for part, shared, seconds in _parts(setup, row.variant, seed)
    ]
    return kept_beside(path, grid, found, _read, _written)


def _read(line: Mapping[str, str]) -> Trained:
    cpu_s = line.get("cpu_seconds")  # a column that files of before do not have
    seconds = float(line["seconds"]), float(cpu_s) if cpu_s else None
    device = line.get("device") or "cpu"
    return Trained(line["row"], int(line["seed"]), line["part"], line["shared"] == "1", *seconds, device)


def _written(one: Trained) -> Mapping[str, object]:
    return {
        **one._asdict(),
        "shared": int(one.shared),
        "cpu_seconds": "" if one.cpu_seconds is None else one.cpu_seconds,
    }


class _Seconds(NamedTuple):
    """Wall and processor seconds of a part, the latter None where they were not counted; and where it was trained."""

    wall: float
    cpu: float | None
    device: str


def _parts(setup: Setup, variant: Variant, seed: int) -> list[tuple[str, bool, _Seconds]]:
    """Return the parts of a run: those it trained itself, and those it takes, each with its seconds."""
    own = _recorded(setup, variant, seed)
    taken = {
        option: seconds
        for option in variant.takes
        if (seconds := _recorded(setup, variant.trainer_of(option), seed).get(option)) is not None
    }
    return [
        *((part, False, seconds) for part, seconds in own.items()),
        *((part, True, seconds) for part, seconds in taken.items()),
    ]


def _recorded(setup: Setup, variant: Variant, seed: int) -> dict[str, _Seconds]:
    path = setup.work / "runs" / training_name(setup, variant, seed) / "metrics.json"
    if not path.is_file():
        return {}
    record = json.loads(path.read_text(encoding="utf-8"))
    return {
        part: _Seconds(float(facts["seconds"]), facts.get("cpu_seconds"), facts.get("device", "cpu"))
        for part, facts in record.items()
        if "seconds" in facts
    }


def costs_text(
    measured: Mapping[str, Measured],
    trained: Sequence[Trained],
    training_file: str,
    times: Mapping[str, RowTime],
    times_file: str,
) -> str:
    """Return the part of a page on costs, a line a row; empty for none.

    Args:
        measured: Row label -> results.
        trained: Times of training.
        training_file: Name of their file.
        times: Row label -> time of generation; without any there are no columns for it.
        times_file: Name of their file.
    """
    if not measured:
        return ""
    first = next(iter(measured)).partition(" (")[0]
    rows: list[Sequence[str]] = [[*_HEAD, *((*_TIMED, f"Times as long as {first}") if times else ())]]
    for label, row in measured.items():
        own, shared = ([one for one in trained if one.row == label and one.shared == told] for told in (False, True))
        result = row.entries[0].result
        parameters, nfe = result["model"].get("parameters"), evaluations_made(result)
        numbers = [f"{parameters:,}" if parameters else "", _minutes(own), _minutes(shared), str(nfe) if nfe else ""]
        rows.append([label, *numbers, *(_times(times.get(label)) if times else ())])
    words = [_WORDS, _elsewhere(trained, measured), _TIMED_WORDS if times else ""]
    words += [f"Each part's seconds: `{training_file}`." if trained else "", f"Times: `{times_file}`." if times else ""]
    return f"## What it costs\n\n{markdown_table(rows)}\n\n{' '.join(word for word in words if word)}"


def _elsewhere(trained: Sequence[Trained], rows: Collection[str]) -> str:
    """Say what was trained on another device than a CPU, of some rows; empty for none."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in trained:
        if one.device != "cpu" and one.row in rows:
            found.setdefault((one.row, one.part, one.device), []).append(str(one.seed))
    if not found:
        return ""
    told = "; ".join(
        f"{row}, {part}, seed {' and '.join(seeds)} ({device})" for (row, part, device), seeds in found.items()
    )
    return f"Trained on another device than a CPU, which leaves a seed out of the minutes: {told}."


def _times(one: RowTime | None) -> list[str]:
    """Return seconds a clip, real-time factor and, where it is known, the ratio to the table's first row."""
    if one is None:
        return ["", "", ""]
    seconds = f"{one.seconds:.3g} ({one.low:.3g} to {one.high:.3g})"
    known = math.isfinite(one.ratio)
    ratio = f"{one.ratio:.2f} ({one.ratio_low:.2f} to {one.ratio_high:.2f})" if known else ""
    return [seconds, f"{one.seconds / one.clip_s:.3g}", ratio]


def _minutes(parts: Sequence[Trained]) -> str:
    """Return the minutes of some parts of a row, median over the seeds that have them.

    They are processor time where all of these parts have it: seeds of wall time and of processor time have no median.
    Seeds of which a part was trained on another device than a CPU are left out.
    """
    elsewhere = {one.seed for one in parts if one.device != "cpu"}
    parts = [one for one in parts if one.seed not in elsewhere]
    counted = all(one.cpu_seconds is not None for one in parts)
    seeds: dict[int, float] = {}
    for one in parts:
        seconds = one.cpu_seconds if counted and one.cpu_seconds is not None else one.seconds
        seeds[one.seed] = seeds.get(one.seed, 0.0) + seconds
    return f"{statistics.median(seeds.values()) / 60:.1f}{' CPU' if counted else ''}" if seeds else ""
