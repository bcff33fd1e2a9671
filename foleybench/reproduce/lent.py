"""Tell the variance between seeds of rows that have few.

How far a second run of a row would lie from the first cannot be told from the first. Where rows of the same kind were
trained with several seeds, for any table, theirs is taken, pooled over these rows. A kind is a model, how it is told
of the video and how it is guided: rows whose condition is a mean over time, or was learnt without an alignment stage,
vary otherwise than the others. That is right as far as rows of a kind vary alike; without it, two rows differ
"significantly" that two runs of one row would, too.

All rows of a table borrow the same few seeds, so a variance that is small by luck would make all of its p-values wrong
at once. It is therefore drawn towards what the kinds have in common (``stats.moderated``): where the lender has the
smallest variance of twelve kinds, 40 to 54 % of the tables of equal rows would name a pair, and 5 to 9 % do so
(simulated: ``tests/reproduce/test_lent.py``). The own variance of a row with several seeds is drawn towards the same
law (``measure``).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from foleybench.artefacts.entries import ResultEntry
from foleybench.clips import FloatArray
from foleybench.reproduce.cells import evaluations_made
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.measure import ROUNDING, Measured, seed_values
from foleybench.reproduce.plan import Setup, row_name
from foleybench.reproduce.rows import GridRow
from foleybench.stats.moderated import CommonLaw, Variance, common_law

RowKind = tuple[str, str, float | None]
# Seeds are numbered from 0; nobody trains more.
_MOST_SEEDS = 10


class LentTo(NamedTuple):
    """What one kind of rows was lent.

    Attributes:
        to: Labels of the rows with one seed.
        by: Labels of the rows of their kind with several; empty where all kinds lend what they have in common.
        variance: By metric.
        own: The variance of those rows alone, by metric.
    """

    to: tuple[str, ...]
    by: tuple[str, ...]
    variance: Mapping[str, Variance]
    own: Mapping[str, Variance]


class Lending(NamedTuple):
    """What rows with several seeds tell of the variance between seeds.

    Attributes:
        rows: Kind -> label -> results, of rows with several seeds.
        own: Kind -> metric -> variance, pooled over its rows.
        laws: Metric -> law of the variances of all kinds that sample a network; none of fewer than three kinds.
    """

    rows: Mapping[RowKind, Mapping[str, Measured]]
    own: Mapping[RowKind, Mapping[str, Variance]]
    laws: Mapping[str, CommonLaw]


def row_kind(row: GridRow) -> RowKind:
    """Return what rows must share to lend to each other: model, condition and guidance (these where not its own)."""
    assert row.variant is not None
    settings = row.variant.settings
    # Their networks of features are trained with the flow, which is another training with another luck.
    stage = " without alignment" if settings.get("stage1") == "none" else ""
    return row.variant.model, settings.get("condition", "") + stage, row.guidance


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


def pooled_variance(rows: Sequence[Measured]) -> dict[str, Variance]:
    """Return the variance of a seed's value by metric, pooled over the rows that have it; left out where not finite."""
    found = {}
    for name in sorted({name for row in rows for name in row.entries[0].result["metrics"]}):
        having = [row for row in rows if all(name in entry.result["metrics"] for entry in row.entries)]
        values = [seed_values(name, row) for row in having]
        freedom = sum(len(one) - 1 for one in values)
        squares = sum(map(_squares, values))
        if freedom and np.isfinite(squares):
            found[name] = Variance(squares / freedom, freedom)
    return found


def _squares(values: FloatArray) -> float:
    """Return the sum of squares around the mean; 0 where it is rounding."""
    squares = float(np.sum((values - values.mean()) ** 2))
    return 0.0 if squares <= len(values) * (ROUNDING * float(np.abs(values).max())) ** 2 else squares


def samples_a_network(entry: ResultEntry) -> bool:
    """Return whether a row's audio is made by evaluations of a trained network: baselines without one hardly vary."""
    return bool(evaluations_made(entry.result))


def told_by(rows: Mapping[RowKind, Mapping[str, Measured]]) -> Lending:
    """Return what rows with several seeds, from ``lenders``, tell of the variance between seeds."""
    own = {kind: pooled_variance(list(having.values())) for kind, having in rows.items()}
    return Lending(rows, own, _common_laws([own[kind] for kind in _kinds_of_networks(rows)]))


def lent_to(rows: Mapping[str, RowKind], lending: Lending, networks: Collection[RowKind]) -> list[LentTo]:
    """Return what each kind of rows is lent: of its own lenders, drawn towards what all networks have in common.

    Args:
        rows: Label of a row with one seed -> its kind.
        lending: What rows with several seeds tell.
        networks: Kinds of rows that sample a network; the others are lent what their own kind has, and no more.
    """
    found = []
    for kind in dict.fromkeys(rows.values()):
        laws = lending.laws if kind in networks else {}
        named, known = tuple(lending.rows.get(kind, ())), lending.own.get(kind, {})
        told = {name: laws[name].moderate(one) if name in laws else one for name, one in known.items()}
        variance = {**{name: law.alone for name, law in laws.items()}, **told}
        if variance:
            labels = tuple(label for label, other in rows.items() if other == kind)
            found.append(LentTo(labels, named, variance, known))
    return found


def _kinds_of_networks(lending: Mapping[RowKind, Mapping[str, Measured]]) -> list[RowKind]:
    """Return the kinds that sample a network, each network once, since guidance trains none."""
    networks: dict[tuple[str, str], RowKind] = {}
    for kind, rows in lending.items():
        if all(samples_a_network(row.entries[0]) for row in rows.values()):
            networks.setdefault(kind[:2], kind)
    return list(networks.values())


def _common_laws(kinds: Collection[Mapping[str, Variance]]) -> dict[str, CommonLaw]:
    """Return metric -> the law of the kinds' variances, where enough of them have one."""
    names = sorted({name for one in kinds for name in one})
    laws = {name: common_law([one[name] for one in kinds if name in one]) for name in names}
    return {name: law for name, law in laws.items() if law is not None}


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
            "seeds, as if such rows varied alike, averaged with what all trained networks have in common; a difference "
            "takes it twice, as if both runs had nothing in common. In parentheses the standard deviation between "
            "seeds that is taken, and that of those rows alone."
        )
    parts += [_lent_sentence(one, titles) for one in lent]
    if without:
        parts.append(
            f"One training seed, and no such row with several: intervals and p-values of {', '.join(without)} speak of "
            "these trained networks alone, not of what another run would give."
        )
    return " ".join(parts)


def moderated_text(laws: Mapping[str, CommonLaw], titles: Mapping[str, str]) -> str:
    """Return what a page says of the variance of rows with several seeds.

    Args:
        laws: From ``told_by``.
        titles: The compared metrics, with their headings.
    """
    known = [name for name in titles if name in laws]
    told = [f"{titles[name]} {math.sqrt(laws[name].scale):.2g} ({laws[name].freedom:.2g})" for name in known]
    absent = [titles[name] for name in titles if name not in laws]
    parts = []
    if told:
        parts.append(
            "Rows with several seeds: since few seeds can lie close together by luck, the variance between the seeds "
            "of a row, or between the differences of two rows, is averaged with one that all trained networks have in "
            "common, each weighted by its degrees of freedom (Smyth 2004; three seeds have 2). Common standard "
            f"deviation of a run, and in parentheses its degrees of freedom: {', '.join(told)}."
        )
    if absent:
        parts.append(
            f"Too few kinds of trained networks have several seeds to tell what they have in common in "
            f"{', '.join(absent)}: there each row's variance is that of its few seeds alone, and a table of many rows "
            "names pairs wrongly more often than in 5 % of cases."
        )
    return " ".join(parts)


def _lent_sentence(one: LentTo, titles: Mapping[str, str]) -> str:
    spreads = [f"{title} {_deviations(one, name)}" for name, title in titles.items() if name in one.variance]
    absent = [title for name, title in titles.items() if name not in one.variance]
    more = f"; nothing for {', '.join(absent)}" if absent else ""
    source = f"from {', '.join(one.by)}" if one.by else "what all trained networks have in common"
    return f"To {', '.join(one.to)}: {source} ({', '.join(spreads)}{more})."


def _deviations(one: LentTo, name: str) -> str:
    taken = f"{math.sqrt(one.variance[name].variance):.2g}"
    return f"{taken}, alone {math.sqrt(one.own[name].variance):.2g}" if name in one.own else taken
