"""Read reported numbers, each with its source."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from foleybench.errors import ResultError

FIELDS = ("table", "row", "metric", "value", "unit", "better", "dataset", "source", "note", "lineage", "system")
# Columns of different tables that are meant to measure one thing, for the comparison of lineages.
FAMILIES = {
    "KL": ("KLD", "KL", "KL_PaSST", "KL_PANNs", "Avg. MKL"),
    "FAD": ("FAD", "FD_VGG"),
    "IS": ("IS",),
    "Align Acc": ("Align Acc",),
}


@dataclasses.dataclass(frozen=True)
class Reported:
    """One reported value.

    Attributes:
        table: Number of the table in its source.
        row: Label of the row there.
        metric: Label of the column there.
        value: The number as printed.
        unit: Unit.
        better: ``higher`` or ``lower``.
        dataset: What it was measured on, as far as the source says.
        source: Where it stands, to the cell.
        note: What the source leaves open.
        lineage: Whose evaluation code, and so whose numbers, it goes with; a table holds one lineage.
        system: Name of the system, the same in every table; "" for a variant that stands for no system.
    """

    table: str
    row: str
    metric: str
    value: str
    unit: str
    better: str
    dataset: str
    source: str
    note: str
    lineage: str
    system: str


@dataclasses.dataclass(frozen=True)
class ReportedTable:
    """One table of a source.

    Attributes:
        number: The table's number in the source.
        dataset: The data set.
        metrics: Column labels, in the source's order.
        rows: (row label, column label -> value), in the source's order.
        notes: Details that the source leaves open, each sentence once, with its columns or rows.
        origin: The source without row and column.
        lineage: Whose evaluation code its numbers come from.
    """

    number: str
    dataset: str
    metrics: tuple[str, ...]
    rows: tuple[tuple[str, dict[str, Reported]], ...]
    notes: tuple[str, ...]
    origin: str
    lineage: str


def read_published(path: Path) -> list[Reported]:
    """Read the list of reported values.

    Raises:
        ResultError: Missing file or column, a value that is not a finite number, no source, or the same cell twice.
    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ResultError(f"{path} cannot be read: {error}. Name another list with --published.") from error
    values = [_value(path, number, row) for number, row in enumerate(rows, start=2)]
    seen: set[tuple[str, str, str, str]] = set()
    lineages: dict[str, str] = {}
    for value in values:
        if lineages.setdefault(value.table, value.lineage) != value.lineage:
            both = f"{lineages[value.table]!r} and {value.lineage!r}"
            raise ResultError(f"{path} has values of lineages {both} in table {value.table}; give each a table.")
        cell = (value.source, value.table, value.row, value.metric)
        if cell in seen:
            raise ResultError(f"{path} has {value.row!r}, {value.metric} of table {value.table} twice.")
        seen.add(cell)
    return values


def _value(path: Path, number: int, row: dict[str, str]) -> Reported:
    if set(row) != set(FIELDS) or None in row.values():
        raise ResultError(f"{path}, line {number} does not have the columns {','.join(FIELDS)}.")
    try:
        finite = math.isfinite(float(row["value"]))
    except ValueError:
        finite = False
    if not finite or not row["source"] or not row["lineage"] or row["better"] not in ("higher", "lower"):
        raise ResultError(
            f"{path}, line {number} needs a finite value, a source, a lineage, and better = higher or lower: {row}."
        )
    return Reported(**row)


def tables(values: list[Reported]) -> list[ReportedTable]:
    """Group reported values into the tables that they come from, in the list's order."""
    return [_table(number, list(group)) for number, group in itertools.groupby(values, key=lambda value: value.table)]


def _table(number: str, values: list[Reported]) -> ReportedTable:
    rows: dict[str, dict[str, Reported]] = {}
    for value in values:
        rows.setdefault(value.row, {})[value.metric] = value
    return ReportedTable(
        number=number,
        dataset=values[0].dataset,
        metrics=tuple(dict.fromkeys(value.metric for value in values)),
        rows=tuple(rows.items()),
        notes=_notes(values),
        origin=values[0].source.split(", row ")[0],
        lineage=values[0].lineage,
    )


class AcrossLineages(NamedTuple):
    """What is reported of one system for one quantity, in more than one lineage.

    Attributes:
        system: The system.
        family: The quantity (``FAMILIES``).
        values: Every value on VGGSound.
    """

    system: str
    family: str
    values: tuple[Reported, ...]


def across_lineages(values: Iterable[Reported]) -> list[AcrossLineages]:
    """Return, for each system and quantity that more than one lineage reports on VGGSound, all its values."""
    found: dict[tuple[str, str], list[Reported]] = {}
    for value in values:
        family = next((name for name, columns in FAMILIES.items() if value.metric in columns), "")
        if value.system and family and value.dataset.startswith("VGGSound"):
            found.setdefault((value.system, family), []).append(value)
    return [
        AcrossLineages(system, family, tuple(some))
        for (system, family), some in sorted(found.items())
        if len({value.lineage for value in some}) > 1
    ]


def _notes(values: list[Reported]) -> tuple[str, ...]:
    """Return each sentence once, after its columns; or after its rows, when it holds for some rows only."""
    rows = list(dict.fromkeys(value.row for value in values))
    cells: dict[str, list[Reported]] = {}
    for value in values:
        for sentence in value.note.removesuffix(".").split(". "):
            if sentence:
                cells.setdefault(sentence, []).append(value)
    notes = []
    for sentence, found in cells.items():
        about = list(dict.fromkeys(value.row for value in found))
        if len(about) == len(rows):
            who = ", ".join(dict.fromkeys(value.metric for value in found))
        elif 2 * len(about) > len(rows):
            who = "All but " + ", ".join(row for row in rows if row not in about)
        else:
            who = ", ".join(about)
        notes.append(f"{who}: {sentence}.")
    return tuple(notes)
