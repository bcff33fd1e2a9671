"""Time the rows of a table in one run.

The seeds of a table may be made on machines of unequal speed and load, so times of results do not compare. Here every
row makes the same clip in turn within each round, and a machine that slows down slows all of them.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from foleybench.clips import FloatArray
from foleybench.files import write_atomically
from foleybench.generation.folder import GenerationSettings, build_generator, visible_part
from foleybench.generation.speed import seconds_in_turn
from foleybench.reproduce.plan import Setup, evaluations_of, row_name, training_name
from foleybench.reproduce.rows import Grid, GridRow
from foleybench.shards.dataset import ShardDataset

ROUNDS = 9
_SEED = 0
_NONE = (float("nan"),) * 3


class RowTime(NamedTuple):
    """Time that one row takes for a clip.

    Attributes:
        row: Label of the row.
        settings: Name of its result with seed 0, without the number of clips: all settings that decide the time.
        clip_s: Length of the clip in seconds.
        low: Seconds, lower quartile over the rounds.
        seconds: Median.
        high: Upper quartile.
        ratio_low: Times as long as the table's first row in the same round, lower quartile; NaN without that row.
        ratio: Median.
        ratio_high: Upper quartile.
    """

    row: str
    settings: str
    clip_s: float
    low: float
    seconds: float
    high: float
    ratio_low: float
    ratio: float
    ratio_high: float


def time_rows(setup: Setup, grid: Grid, path: Path, *, again: bool) -> None:
    """Time the rows whose run of seed 0 is at hand, all of them together, and write the file.

    A file that has more rows of these settings than are at hand stays: times of two machines never stand in one file.

    Args:
        setup: Where runs and corpus lie.
        grid: The table.
        path: The file, CSV.
        again: Whether to time rows anew that the file has.

    Raises:
        FoleyError: The corpus or a run cannot be read.
    """
    rows = [(row, run) for row in grid.rows if (run := _run(setup, row)) is not None]
    before = read_times(setup, grid, path)
    if len(rows) < max(1, len(before)) or (not again and {row.label for row, _ in rows} <= before.keys()):
        return
    data = ShardDataset(setup.manifest("test"))
    clip_s = data.load(data.clip_ids[0], video=False).duration_s
    seconds = _seconds(setup, rows, data)
    first = seconds.get(grid.rows[0].label)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(RowTime._fields)
    for row, _ in rows:
        own = seconds[row.label]
        numbers = clip_s, *_quartiles(own), *(_NONE if first is None else _quartiles(own / first))
        writer.writerow([row.label, _settings_of(setup, row), *(f"{value:.4g}" for value in numbers)])
    write_atomically(path, buffer.getvalue().encode())


def read_times(setup: Setup, grid: Grid, path: Path) -> dict[str, RowTime]:
    """Return label of a row -> its time, of the rows that the file has with these settings; empty without a file."""
    if not path.is_file():
        return {}
    wanted = {row.label: _settings_of(setup, row) for row in grid.rows if row.variant}
    with path.open(encoding="utf-8", newline="") as file:
        lines: list[Mapping[str, str]] = list(csv.DictReader(file))
    return {
        line["row"]: RowTime(line["row"], line["settings"], *(float(line[name]) for name in RowTime._fields[2:]))
        for line in lines
        if wanted.get(line["row"]) == line["settings"]
    }


def _settings_of(setup: Setup, row: GridRow) -> str:
    return row_name(dataclasses.replace(setup, clips=None), row, _SEED)


def _run(setup: Setup, row: GridRow) -> Path | None:
    """Return the folder of a ranked row's finished run."""
    if row.variant is None or row.unranked:
        return None
    run = setup.work / "runs" / training_name(setup, row.variant, _SEED)
    return run if (run / "config.json").is_file() else None


def _seconds(setup: Setup, rows: Sequence[tuple[GridRow, Path]], data: ShardDataset) -> dict[str, FloatArray]:
    """Return label -> seconds of each round."""
    clip = data.load(data.clip_ids[0])
    built = {}
    for row, run in rows:
        assert row.variant is not None
        settings = GenerationSettings(
            model=row.variant.model,
            checkpoint=run,
            guidance=row.guidance,
            nfe=evaluations_of(setup, row.variant.model),
            device=setup.device,
        )
        model, generator = build_generator(settings, data)
        built[row.label] = generator, visible_part(clip, model)
    seconds = seconds_in_turn(built, rounds=ROUNDS, device=setup.device)
    return {label: np.array(own) for label, own in seconds.items()}


def _quartiles(values: FloatArray) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, [25, 50, 75]).tolist()
    return low, middle, high
