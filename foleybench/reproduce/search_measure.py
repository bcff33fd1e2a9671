"""Rank the tries of a search, each against the default."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats as distributions

from foleybench.artefacts.entries import ResultEntry
from foleybench.reproduce.cells import direction_of
from foleybench.reproduce.lent import lenders, lent_to, row_kind, told_by
from foleybench.reproduce.measure import Difference, Measured, SeedsCell, cell, row_difference
from foleybench.reproduce.plan import Setup, row_name
from foleybench.reproduce.search import DEFAULT, SearchTry, ranked_row
from foleybench.reproduce.verdict import Outcome, compare_pairs
from foleybench.stats.moderated import Variance

METRICS = ("kld_mini", "fad_mini", "align_acc_mini", "event_f1_25ms", "class_accuracy")
OPEN = "open"


class SystemTries(NamedTuple):
    """The measured tries of one system.

    Attributes:
        label: The system.
        cells: Label of a try -> metric -> value.
        ranks: Label of a try -> mean rank over the metrics.
        gaps: Metric -> (try, default) -> difference.
        outcomes: Metric -> (try, default) -> what the try is, seen from the default.
        absent: Labels of tries without a result.
        told: Label of a try -> its settings.
        guided: Labels of the tries of the guidance.
        in_table: Label of the try that Table 1 ranks; empty for none.
    """

    label: str
    cells: Mapping[str, Mapping[str, SeedsCell]]
    ranks: Mapping[str, float]
    gaps: Mapping[str, Mapping[tuple[str, str], Difference]]
    outcomes: Mapping[str, Mapping[tuple[str, str], Outcome]]
    absent: tuple[str, ...] = ()
    told: Mapping[str, str] = {}
    guided: frozenset[str] = frozenset()
    in_table: str = DEFAULT

    def against(self, label: str, outcome: Outcome) -> list[str]:
        """Return the metrics in which a try is that, seen from the default."""
        return [name for name, pairs in self.outcomes.items() if pairs.get((label, DEFAULT)) == outcome]

    @property
    def best(self) -> str:
        """The try of the best mean rank; of equal ones the first, so the default before others."""
        return min(self.ranks, key=lambda label: self.ranks[label])

    @property
    def taken(self) -> str:
        """What Table 1 takes by the rule; nothing while a try is missing, which the correction counts."""
        if self.absent:
            return OPEN
        winners = [label for label in self.ranks if self.against(label, "better") and not self.against(label, "worse")]
        return min(winners, key=lambda label: self.ranks[label], default=DEFAULT)


def measure_system(
    label: str,
    tries: Sequence[SearchTry],
    results: Mapping[str, ResultEntry],
    lent: Mapping[str, Variance] | None = None,
    in_table: str = DEFAULT,
) -> SystemTries:
    """Value the tries of a system, rank them, and compare each with the default.

    A try of a rate is another training, so its difference holds the luck of two: the variance between seeds that
    Table 1's rows lend (``lent``) is added twice. A try of the guidance samples the default's network.

    Args:
        label: The system.
        tries: Its tries.
        results: Label of a try -> its result, of those that have one; the default's is among them.
        lent: Metric -> variance between seeds.
        in_table: Label of the try that Table 1 ranks; empty for none.
    """
    there = [one for one in tries if one.label in results]
    alone = {one: Measured([entry]) for one, entry in results.items()}
    varied = {one: Measured([entry], lent) for one, entry in results.items()}
    cells = {one.label: {name: cell(name, varied[one.label]) for name in METRICS} for one in there}
    gaps: dict[str, dict[tuple[str, str], Difference]] = {name: {} for name in METRICS}
    for one in there:
        rows = alone if one.guidance else varied
        for name in METRICS if one.label != DEFAULT else ():
            gaps[name][one.label, DEFAULT] = row_difference(name, rows[one.label], rows[DEFAULT])
    outcomes = compare_pairs(gaps, {name: direction_of(name) for name in METRICS})
    absent = tuple(one.label for one in tries if one.label not in results)
    told, guided = {one.label: one.told for one in tries}, frozenset(one.label for one in tries if one.guidance)
    return SystemTries(label, cells, _mean_ranks(cells), gaps, outcomes, absent, told, guided, in_table)


def _mean_ranks(cells: Mapping[str, Mapping[str, SeedsCell]]) -> dict[str, float]:
    """Return each try's mean rank over the metrics, 1 the best; equal values share ranks, undefined ones are last."""
    columns = []
    for name in METRICS:
        values = np.array([cells[one][name].value for one in cells])
        worse = -values if direction_of(name) == "higher" else values
        columns.append(distributions.rankdata(np.where(np.isnan(worse), np.inf, worse)))
    return dict(zip(cells, np.mean(columns, axis=0).tolist(), strict=True))


def setup_of_table(setup: Setup, results: Collection[str], default: SearchTry) -> Setup:
    """Return the setup under whose number of clips Table 1 has most seeds of a row."""
    counts = {int(found[1]) for name in results if (found := re.search(r"-clips([0-9]+)-", name))}
    setups = [dataclasses.replace(setup, seeds=3, nfe=None, clips=clips) for clips in (None, *sorted(counts))]
    return max(setups, key=lambda one: sum(row_name(one, default.row, seed) in results for seed in range(one.seeds)))


def try_in_table(table: Setup, results: Collection[str], tries: Sequence[SearchTry]) -> str:
    """Return the label of the try that Table 1 ranks and has results of; empty for none.

    Args:
        table: The setup of the tables.
        results: Names of their results.
        tries: Those of one system.
    """
    measured = (one for one in tries if (row := ranked_row(one)) and row_name(table, row, 0) in results)
    return next((one.label for one in measured), "")


def variances_of_runs(
    tables: Mapping[str, Setup], results: Mapping[str, ResultEntry], defaults: Mapping[str, SearchTry]
) -> dict[str, Mapping[str, Variance]]:
    """Return system -> metric -> variance between seeds that rows of the paper's tables lend to it, where any do.

    Args:
        tables: System -> the setup of the tables.
        results: Their results by name.
        defaults: System -> its default.
    """
    found: dict[str, Mapping[str, Variance]] = {}
    for table in dict.fromkeys(tables.values()):  # all lenders are valued once a setup, not once a system
        kinds = {label: row_kind(defaults[label].row) for label, own in tables.items() if own == table}
        lent = lent_to(kinds, told_by(lenders(table, results)), kinds.values())
        found |= {label: one.variance for one in lent for label in one.to}
    return found


def is_tables_run(
    table: Setup, results: Mapping[str, ResultEntry], default: SearchTry, own: ResultEntry
) -> bool | None:
    """Return whether the default of the search has the weights of Table 1's row of seed 0; None where not known."""
    row = results.get(row_name(table, default.row, 0))
    hashes = (row.weights if row else None, own.weights)
    return None if None in hashes else hashes[0] == hashes[1]
