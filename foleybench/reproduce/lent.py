"""Lend rows with one seed the variance between seeds of others.

How far a second run of a row would lie from the first cannot be told from the first. Where rows of the same model were
trained with several seeds, for any table, theirs is taken, pooled over these rows. That is right as far as rows of one
model vary alike; without it, two rows differ "significantly" that two runs of one row would, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from foleybench.artefacts.entries import ResultEntry
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.measure import Lent, Measured, seed_values
from foleybench.reproduce.plan import Setup, row_name

# Seeds are numbered from 0; nobody trains more.
_MOST_SEEDS = 10


def lenders(setup: Setup, results: Mapping[str, ResultEntry]) -> dict[str, dict[str, Measured]]:
    """Return model -> label of a row -> its results, of all rows of all tables that have at least two seeds."""
    found: dict[str, dict[str, Measured]] = {}
    seen = set()
    for row in (row for grid in GRIDS.values() for row in grid.rows):
        if row.variant is None or row.control or row.variant.name in seen:
            continue
        seen.add(row.variant.name)
        names = [row_name(setup, row, seed) for seed in range(_MOST_SEEDS)]
        entries = [results[name] for name in names if name in results]
        if len(entries) > 1:
            found.setdefault(row.variant.model, {})[row.label] = Measured(entries)
    return found


def pooled_variance(rows: Sequence[Measured]) -> dict[str, Lent]:
    """Return, for every metric that all rows have, the variance of a seed's value, pooled over the rows."""
    entries = [entry for row in rows for entry in row.entries]
    names = set.intersection(*(set(entry.result["metrics"]) for entry in entries))
    found = {}
    for name in sorted(names):
        values = [seed_values(name, row) for row in rows]
        freedom = sum(len(one) - 1 for one in values)
        squares = sum(float(np.sum((one - one.mean()) ** 2)) for one in values)
        if np.isfinite(squares):
            found[name] = Lent(squares / freedom, freedom)
    return found


def lent_text(lent_by: Mapping[str, Iterable[str]], without: Sequence[str]) -> str:
    """Return what a page with one seed says of the variance between seeds.

    Args:
        lent_by: Model -> labels of the rows that lend.
        without: Labels of the page's rows to which nothing is lent.
    """
    parts = []
    if lent_by:
        rows = "; ".join(", ".join(labels) for labels in lent_by.values())
        parts.append(
            "One training seed does not show how far another run of the same row would lie. Intervals and p-values "
            f"take that from the rows of the same model that were trained with several ({rows}), pooled; a difference "
            "takes it twice, as if both runs had nothing in common."
        )
    if without:
        parts.append(
            f"One training seed, and no row of the same model with several: intervals and p-values of "
            f"{', '.join(without)} speak of these trained networks alone, not of what another run would give."
        )
    return " ".join(parts)
