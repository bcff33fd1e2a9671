"""Keep facts of training runs beside a table, as CSV.

Run folders do not outlive a machine, and the seeds of a table may be trained on several: what the file has of runs that
are not at hand stays.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from foleybench.files import write_atomically
from foleybench.reproduce.rows import Grid


class Fact(Protocol):
    """Something about one row's training with one seed."""

    @property
    def row(self) -> str:
        """Label of the row."""
        ...

    @property
    def seed(self) -> int:
        """Training seed."""
        ...

    @property
    def part(self) -> str:
        """Name of the part that was trained."""
        ...


F = TypeVar("F", bound=Fact)


def kept_beside(
    path: Path,
    grid: Grid,
    found: Sequence[F],
    read: Callable[[Mapping[str, str]], F],
    written: Callable[[F], Mapping[str, object]],
) -> list[F]:
    """Return what is found now, and what the file has of other rows, seeds and parts, in the order of the table.

    Args:
        path: The file; written when something is found.
        grid: The table.
        found: Facts of the runs that are at hand.
        read: From a line of the file, by column, to a fact.
        written: From a fact to a line of the file.
    """
    rows = [*grid.rows, *grid.ladder]
    known, places = set(map(_key, found)), {row.label: place for place, row in enumerate(rows)}
    before: list[F] = []
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            before = [one for one in map(read, csv.DictReader(file)) if _key(one) not in known and one.row in places]
    every = sorted([*found, *before], key=lambda one: (places[one.row], one.seed))
    if found:
        buffer = io.StringIO()
        lines = [written(one) for one in every]
        writer = csv.DictWriter(buffer, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
        write_atomically(path, buffer.getvalue().encode())
    return every


def _key(one: Fact) -> tuple[str, int, str]:
    return one.row, one.seed, one.part
