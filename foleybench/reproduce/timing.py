"""Time the rows of a table beside each other, in one run.

The seeds of a table may be made on machines of unequal speed and load, so times of results do not compare. Here every
row makes the same clip in turn within each round, and a machine that slows down slows all of them.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from foleybench.api.model import clip_rng
from foleybench.clips import FloatArray
from foleybench.files import write_atomically
from foleybench.generation.folder import GenerationSettings, build_generator, visible_part
from foleybench.reproduce.plan import Setup, training_name
from foleybench.reproduce.rows import Grid, GridRow
from foleybench.runtime.progress import Progress
from foleybench.shards.dataset import ShardDataset

ROUNDS = 9
_SEED = 0


class RowTime(NamedTuple):
    """Time that one row takes for a clip.

    Attributes:
        row: Label of the row.
        clip_s: Length of the clip in seconds.
        low: Seconds, lower quartile over the rounds.
        seconds: Median.
        high: Upper quartile.
        ratio_low: Times as long as the first row in the same round, lower quartile.
        ratio: Median.
        ratio_high: Upper quartile.
    """

    row: str
    clip_s: float
    low: float
    seconds: float
    high: float
    ratio_low: float
    ratio: float
    ratio_high: float


def time_rows(setup: Setup, grid: Grid, path: Path) -> None:
    """Time the rows whose run of seed 0 is at hand, and write the file; leave a file that has as many rows.

    Args:
        setup: Where runs and corpus lie.
        grid: The table.
        path: The file, CSV.
    """
    rows = [(row, run) for row in grid.rows if (run := _run(setup, row)) is not None]
    if len(rows) <= len(read_times(path)):
        return
    data = ShardDataset(setup.manifest("test"))
    clip_s = data.load(data.clip_ids[0], video=False).duration_s
    seconds = _seconds(rows, data)
    first = next(iter(seconds.values()))
    found = [RowTime(label, clip_s, *_quartiles(own), *_quartiles(own / first)) for label, own in seconds.items()]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(RowTime._fields)
    writer.writerows([one.row, *(f"{value:.4g}" for value in one[1:])] for one in found)
    write_atomically(path, buffer.getvalue().encode())


def read_times(path: Path) -> dict[str, RowTime]:
    """Return label of a row -> its time; empty where there is no file."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        lines: list[Mapping[str, str]] = list(csv.DictReader(file))
    return {one["row"]: RowTime(one["row"], *(float(one[name]) for name in RowTime._fields[1:])) for one in lines}


def _run(setup: Setup, row: GridRow) -> Path | None:
    """Return the folder of a ranked row's finished run."""
    if row.variant is None or row.unranked:
        return None
    run = setup.work / "runs" / training_name(setup, row.variant, _SEED)
    return run if (run / "config.json").is_file() else None


def _seconds(rows: Sequence[tuple[GridRow, Path]], data: ShardDataset) -> dict[str, FloatArray]:
    """Return label -> seconds of each round, on one thread, after a round that warms up."""
    import torch

    clip = data.load(data.clip_ids[0])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    built = {row.label: build_generator(_settings(row, run), data) for row, run in rows}
    seconds: dict[str, list[float]] = {label: [] for label in built}
    with Progress(total=ROUNDS + 1, desc="time the rows", unit="round") as progress:
        for turn in range(ROUNDS + 1):
            for label, (model, generator) in built.items():
                started = time.perf_counter()
                generator.generate([visible_part(clip, model)], clip_rng(turn, clip.clip_id))
                if turn:
                    seconds[label].append(time.perf_counter() - started)
            progress.update()
    torch.set_num_threads(threads)
    return {label: np.array(own) for label, own in seconds.items()}


def _settings(row: GridRow, run: Path) -> GenerationSettings:
    assert row.variant is not None
    return GenerationSettings(model=row.variant.model, checkpoint=run, guidance=row.guidance)


def _quartiles(values: FloatArray) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, [25, 50, 75]).tolist()
    return low, middle, high
