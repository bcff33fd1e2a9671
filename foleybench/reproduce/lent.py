"""Lend rows with one seed the variance between seeds of others.

How far a second run of a row would lie from the first cannot be told from the first. Where rows of the same kind were
trained with several seeds, for any table, theirs is taken, pooled over these rows. A kind is a model, how it is told
of the video and how it is guided: rows whose condition is a mean over time vary otherwise than those told of every
frame. That is right as far as rows of a kind vary alike; without it, two rows differ "significantly" that two runs of
one row would, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from foleybench.artefacts.entries import ResultEntry
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.measure import Lent, Measured, seed_values
from foleybench.reproduce.plan import Setup, row_name
from foleybench.reproduce.rows import GridRow

RowKind = tuple[str, str, float | None]
# Seeds are numbered from 0; nobody trains more.
_MOST_SEEDS = 10


class LentTo(NamedTuple):
    """What one kind of rows was lent.

    Attributes:
        to: Labels of the rows with one seed.
        by: Labels of the rows with several.
        variance: By metric.
    """

    to: tuple[str, ...]
    by: tuple[str, ...]
    variance: Mapping[str, Lent]


def row_kind(row: GridRow) -> RowKind:
    """Return what rows must share to lend to each other: model, condition and guidance (these where not its own)."""
    assert row.variant is not None
    return row.variant.model, row.variant.settings.get("condition", ""), row.guidance


def lenders(setup: Setup, results: Mapping[str, ResultEntry]) -> dict[RowKind, dict[str, Measured]]:
    """Return kind -> label of a row -> its results, of all rows of all tables that have at least two seeds."""
    found: dict[RowKind, dict[str, Measured]] = {}
    seen = set()
    for row in (row for grid in GRIDS.values() for row in grid.rows):
        if row.variant is None or row.control or (row.variant.name, row.guidance) in seen:
            continue
        seen.add((row.variant.name, row.guidance))
        names = [row_name(setup, row, seed) for seed in range(_MOST_SEEDS)]
        entries = [results[name] for name in names if name in results]
        if len(entries) > 1:
            found.setdefault(row_kind(row), {})[row.label] = Measured(entries)
    return found


def pooled_variance(rows: Sequence[Measured]) -> dict[str, Lent]:
    """Return the variance of a seed's value by metric, pooled over the rows that have it; left out where not finite."""
    found = {}
    for name in sorted({name for row in rows for name in row.entries[0].result["metrics"]}):
        having = [row for row in rows if all(name in entry.result["metrics"] for entry in row.entries)]
        values = [seed_values(name, row) for row in having]
        freedom = sum(len(one) - 1 for one in values)
        squares = sum(float(np.sum((one - one.mean()) ** 2)) for one in values)
        if freedom and np.isfinite(squares):
            found[name] = Lent(squares / freedom, freedom)
    return found


def lent_text(lent: Sequence[LentTo], without: Sequence[str], titles: Mapping[str, str]) -> str:
    """Return what a page with one seed says of the variance between seeds.

    Args:
        lent: Who lent to whom.
        without: Labels of the page's rows to which nothing is lent.
        titles: The compared metrics, with their headings.
    """
    parts = []
    if lent:
        parts.append(
            "One training seed does not show how far another run of the same row would lie. Intervals and p-values "
            "take that from rows of the same model, kind of condition and guidance that were trained with several "
            "seeds, as if such rows varied alike; a difference takes it twice, as if both runs had nothing in common."
        )
    for one in lent:
        known = {name: found for name, found in one.variance.items() if name in titles}
        spreads = ", ".join(f"{titles[name]} {math.sqrt(found.variance):.2g}" for name, found in known.items())
        absent = [title for name, title in titles.items() if name not in known]
        more = f"; nothing for {', '.join(absent)}" if absent else ""
        parts.append(
            f"To {', '.join(one.to)}: from {', '.join(one.by)} (standard deviation between seeds: {spreads}{more})."
        )
    if without:
        parts.append(
            f"One training seed, and no such row with several: intervals and p-values of {', '.join(without)} speak of "
            "these trained networks alone, not of what another run would give."
        )
    return " ".join(parts)
