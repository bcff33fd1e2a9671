"""Write a reproduced table as Markdown and CSV."""

from __future__ import annotations

import csv
import io
import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.artefacts.published import ReportedTable
from foleybench.reproduce.cells import (
    clips_text,
    column_decimals,
    direction_of,
    markdown_table,
    metric_heading,
    value_text,
)
from foleybench.reproduce.measure import (
    Difference,
    Measured,
    SeedsCell,
    cell,
    row_difference,
)
from foleybench.reproduce.orders import DIRECTION, LEGEND, orders_table, outcomes_table
from foleybench.reproduce.power import MOST_SEEDS, Needed, clips_and_seeds_needed, smallest_found
from foleybench.reproduce.rows import Grid
from foleybench.reproduce.verdict import (
    COLUMN_RULE,
    MARGINS,
    MARGINS_ORIGIN,
    RULE,
    ColumnVerdict,
    Outcome,
    Pair,
    Told,
    compare_pairs,
    judge_column,
    overall,
    sentence,
    told_pairs,
)

# Our metric for each of the paper's columns; further metrics have no column there.
COLUMNS = {"KLD": "kld_mini", "FAD": "fad_mini", "Align Acc": "align_acc_mini"}
MORE = ("event_f1_25ms", "class_accuracy")
# Shown with intervals and never compared: every further column would cost the compared ones power.
SHOWN = (
    "event_f1",
    "source_recall",
    "event_offset",
    "strength_correlation",
    "pitch_error",
    "class_f1",
    "material_accuracy",
    "copying_share",
)
_OTHER_SIDE: dict[Outcome, Outcome] = {"better": "worse", "worse": "better"}


class Table(NamedTuple):
    """A grid with measured and reported values.

    Attributes:
        grid: The rows.
        measured: Row label -> results, for rows that have them.
        cells: Row label -> metric -> value with interval.
        differences: Metric -> (row label, row label) -> paired difference, for rows that have results.
        outcomes: Metric -> (row label, row label) -> what the first row is, seen from the second.
        verdicts: The paper's column -> verdict; empty when fewer than two of its rows were measured.
        told: The paper's column -> (better row, worse row) in the paper -> what is found here.
        reported: The paper's table, or None without a list of published numbers.
        controls: Title of a control -> metric -> value.
        shown: Row label or title of a control -> metric -> value, of metrics that are shown and not compared.
        scored_controls: Title of a control -> results.
        absent: Labels of rows that are not measured yet while others are: then no verdict is given.
    """

    grid: Grid
    measured: Mapping[str, Measured]
    cells: Mapping[str, Mapping[str, SeedsCell]]
    differences: Mapping[str, Mapping[tuple[str, str], Difference]]
    outcomes: Mapping[str, Mapping[tuple[str, str], Outcome]]
    verdicts: Mapping[str, ColumnVerdict]
    told: Mapping[str, Mapping[Pair, Told]]
    reported: ReportedTable | None
    controls: Mapping[str, Mapping[str, SeedsCell]]
    shown: Mapping[str, Mapping[str, SeedsCell]]
    scored_controls: Mapping[str, Measured]
    absent: tuple[str, ...] = ()


def make_table(
    grid: Grid,
    measured: Mapping[str, Measured],
    reported: ReportedTable | None,
    controls: Mapping[str, Measured],
    absent: Sequence[str] = (),
) -> Table:
    """Value every cell and compare every pair of rows; controls are only shown."""
    names = [*COLUMNS.values(), *MORE]
    cells = _cells(measured, names)
    pairs = _pairs(grid, measured)
    differences = {
        name: {pair: row_difference(name, *(measured[label] for label in pair)) for pair in pairs} for name in names
    }
    outcomes = compare_pairs(differences, {name: direction_of(name) for name in names})
    verdicts, told = ({}, {}) if absent else _verdicts(grid, measured, outcomes, reported)
    every = {**measured, **controls}
    further = [name for name in SHOWN if measured and all(_holds(row, name) for row in every.values())]
    shown = _cells(every, further) if further else {}
    bounds = _cells(controls, names)
    return Table(
        grid, measured, cells, differences, outcomes, verdicts, told, reported, bounds, shown, controls, tuple(absent)
    )


def _holds(row: Measured, metric: str) -> bool:
    return all(metric in entry.result["metrics"] for entry in row.entries)


def _pairs(grid: Grid, measured: Mapping[str, Measured]) -> list[tuple[str, str]]:
    """Return the pairs that are compared: of ranked rows of one block."""
    blocks = {row.label: row.block for row in grid.rows if not row.unranked and row.label in measured}
    return [pair for pair in itertools.combinations(blocks, 2) if blocks[pair[0]] == blocks[pair[1]]]


def _cells(rows: Mapping[str, Measured], names: Sequence[str]) -> dict[str, dict[str, SeedsCell]]:
    return {label: {name: cell(name, row) for name in names} for label, row in rows.items()}


def _verdicts(
    grid: Grid,
    measured: Mapping[str, Measured],
    outcomes: Mapping[str, Mapping[tuple[str, str], Outcome]],
    reported: ReportedTable | None,
) -> tuple[dict[str, ColumnVerdict], dict[str, dict[Pair, Told]]]:
    """Return every column's verdict, and the pairs it rests on."""
    published = dict(reported.rows) if reported else {}
    rows = [row for row in grid.rows if row.label in measured and row.reported in published and not row.unranked]
    found: dict[str, ColumnVerdict] = {}
    told: dict[str, dict[Pair, Told]] = {}
    for column, name in COLUMNS.items() if len(rows) > 1 else ():
        values = {row.label: float(published[str(row.reported)][column].value) for row in rows}
        found[column] = judge_column(values, outcomes[name], direction_of(name))
        told[column] = told_pairs(values, outcomes[name], direction_of(name))
    return found, told


def table_markdown(table: Table, command: str, setup: str, further: Sequence[str] = ()) -> str:
    """Return the page of a table.

    Args:
        table: The table.
        command: Command that made the page.
        setup: Sentence on training and scoring.
        further: Parts on costs, training and pictures, between measured and reported values; empty ones are left out.
    """
    parts = [
        "<!-- Written by `foleybench reproduce`. Do not edit: run it again. -->",
        f"# {table.grid.heading}",
        f"Made by `{command}`. {setup}",
        "## Does the paper's ordering hold here?" if table.grid.number else "## What is better?",
        _answer(table),
        f"{RULE} {COLUMN_RULE}" if table.grid.number else RULE,
        "## Measured here",
        _measured(table),
        "Mean over seeds [95 % interval over clips and seeds: see `foleybench/reproduce/measure.py`] · rank. The "
        "`mini` evaluators compare with no published figure. Rows that the rule above does not tell apart share ranks. "
        "**Bold**: the best of the column, among rows that are compared, and all that are not shown to be worse than "
        f"it.{_luck(table)}",
        *_power(table),
        _shown(table),
        _orders(table),
        *further,
        *(["## Reported by the paper", _reported(table)] if table.grid.number else []),
        f"How the rows are read: {table.grid.reading}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _luck(table: Table) -> str:
    """Return what a rank owes to a row's own variance between seeds; empty where no row has several."""
    pairs = _pairs(table.grid, table.measured)
    if all(_n_seeds(table, pair) < 2 for pair in pairs):
        return ""
    return (
        " A rank depends on the row's own variance between seeds too: one whose seeds differ much is told apart from "
        "fewer others, and can be bold far from the best."
    )


def _n_seeds(table: Table, pair: Pair) -> int:
    return len(table.measured[pair[0]].entries)


def _shown(table: Table) -> str:
    """Return the part on metrics that are shown and not compared; empty for none."""
    if not table.shown:
        return ""
    names = list(next(iter(table.shown.values())))
    digits = {name: column_decimals([cells[name] for cells in table.shown.values()]) for name in names}
    rows = [["Row", *map(metric_heading, names)]]
    for label, cells in table.shown.items():
        texts = [value_text(cells[name], digits[name]) for name in names]
        rows.append([f"*{label}* (control)" if label in table.controls else label, *texts])
    unlike = [f"{metric_heading(n)} ({why})" for n in names if (why := registry.load("metrics", n).unranked)]
    told = f"\n\nNothing to rank by: {'; '.join(unlike)}." if unlike else ""
    return f"## More of the exact events, shown and not compared\n\n{markdown_table(rows)}{told}"


def _orders(table: Table) -> str:
    """Return the paper's order pair by pair, where it has more pairs than a verdict shows; empty otherwise."""
    if all(len(told) < 2 for told in table.told.values()):
        return ""
    parts = [orders_table(column, told) for column, told in table.told.items() if told]
    return "\n\n".join(["## The paper's order, pair by pair", LEGEND, *parts])


def _answer(table: Table) -> str:
    absent = ""
    if table.absent:
        n_rows = len(table.cells) + len(table.absent)
        absent = f"{len(table.cells)} of {n_rows} rows are measured. Not yet: {'; '.join(table.absent)}."
    if not table.grid.number:
        found = {metric_heading(name): pairs for name, pairs in table.outcomes.items() if pairs}
        answer = f"{outcomes_table(found)}\n\n{DIRECTION}" if found else "Nothing was measured yet."
        return f"{absent}\n\n{answer}".strip()
    if absent:
        return f"**Not answered yet**: {absent}"
    if not table.verdicts:
        return "Not a question this table can answer here: fewer than two of the paper's rows were measured."
    lines = [f"**{overall(list(table.verdicts.values())).capitalize()}.**"]
    lines += [f"- {sentence(column, verdict)}" for column, verdict in table.verdicts.items()]
    return "\n".join(lines)


def _measured(table: Table) -> str:
    if not table.cells:
        return "Nothing yet: the command above trains and scores every row."
    blocks = list(dict.fromkeys(row.block for row in table.grid.rows if row.label in table.cells))
    parts = [text for block in blocks for text in ([block] if block else []) + [_block(table, block)]]
    reasons = {row.label: row.unranked for row in table.grid.rows if row.unranked and row.label in table.cells}
    parts += [f"Not ranked: {label}; {reason}." for label, reason in reasons.items()]
    return "\n\n".join(parts)


def _block(table: Table, block: str) -> str:
    """Return the rows of one block as a grid, the controls below those of the last."""
    names = [*COLUMNS.values(), *MORE]
    digits = {name: column_decimals([cells[name] for cells in table.cells.values()]) for name in names}
    chosen = [row for row in table.grid.rows if row.block == block and row.label in table.cells]
    best = {name: _best(table, name, [row.label for row in chosen if not row.unranked]) for name in names}
    rows = [["Row", *map(metric_heading, names), "Seeds", "Clips"]]
    for row in chosen:
        label, cells = row.label, table.cells[row.label]
        texts = [
            value_text(cells[name], digits[name], bold=label in best[name]) + _rank(table.outcomes[name], label)
            for name in names
        ]
        rows.append([f"*{label}* (not ranked)" if row.unranked else label, *texts, *_counts(table.measured[label])])
    last = next(row.block for row in reversed(table.grid.rows) if row.label in table.cells)
    for label, cells in table.controls.items() if block == last else ():
        texts = [value_text(cells[name], digits[name]) for name in names]
        rows.append([f"*{label}* (control, not compared)", *texts, *_counts(table.scored_controls[label])])
    return markdown_table(rows)


def _counts(row: Measured) -> list[str]:
    """Return the texts of a row's numbers of seeds and of clips."""
    return [str(len(row.entries)), clips_text(row)]


def _power(table: Table) -> list[str]:
    """Return the paragraphs that say which differences these clips and seeds can find; none without pairs."""
    n_clips = min((_n_clips(row) for row in table.measured.values()), default=0)
    found, needed = [], []
    for name, gaps in table.differences.items():
        sizes = [size for gap in gaps.values() if (size := smallest_found(gap)) is not None]
        if not sizes:
            continue
        size = statistics.median_high(sizes)
        margin = f"margin {MARGINS[name]:g}" if name in MARGINS else "no margin"
        found.append(f"{metric_heading(name)} {size:.2g} ({margin})")
        if name in MARGINS:
            each = [
                clips_and_seeds_needed(gap, MARGINS[name], n_clips, _n_seeds(table, pair)) for pair, gap in gaps.items()
            ]
            needed.append(f"{metric_heading(name)} {_needed_text([one for one in each if one is not None])}")
    if not found:
        return []
    texts = [
        "What these clips and seeds can find: a true difference of this size is significant with 80 % power, before "
        f"the correction, in the median pair of rows: {'; '.join(found)}. Equivalence can be shown only where the "
        f"margin is above it. {MARGINS_ORIGIN}"
    ]
    if needed:
        texts.append(
            "A true difference of the margin would be found with the same power by about (medians over the pairs of "
            f"rows; few seeds know badly how seeds vary): {'; '.join(needed)}."
        )
    return texts


def _needed_text(pairs: Sequence[Needed]) -> str:
    """Return the median numbers of clips and seeds that pairs of rows need."""
    clips = statistics.median_high([one.clips for one in pairs])
    seeds = [one.seeds for one in pairs if one.seeds is not None]
    if not math.isfinite(clips):
        return f"more than {MOST_SEEDS:,} seeds"
    many = f"{float(f'{clips:.2g}'):,.0f} clips"
    if not seeds:
        return f"{many} (of these networks; how seeds vary is not known)"
    return f"{many} and {statistics.median_high(seeds):.0f} seeds"


def _n_clips(row: Measured) -> int:
    return min(int(entry.result["dataset"]["n_scored"]) for entry in row.entries)


def _best(table: Table, name: str, among: Sequence[str]) -> set[str]:
    """Return the labels of the best of some rows in a column, and of all that are not shown to be worse than it."""
    metric: Metric = registry.load("metrics", name)
    known = {label: table.cells[label][name].value for label in among}
    known = {label: value for label, value in known.items() if math.isfinite(value)}
    if len(known) < 2:
        return set()
    champion = max(known, key=lambda label: known[label] if metric.better == "higher" else -known[label])
    clear = {
        label
        for pair, outcome in table.outcomes[name].items()
        if champion in pair and outcome in ("better", "worse")
        for label in pair
    }
    return {champion, *(set(known) - clear)}


def _rank(outcomes: Mapping[Pair, Outcome], label: str) -> str:
    """Return a row's rank among the rows it is compared with, a range where some are not told apart; "" without any."""
    seen = [
        outcome if label == first else _OTHER_SIDE.get(outcome, outcome)
        for (first, second), outcome in outcomes.items()
        if label in (first, second)
    ]
    if not seen:
        return ""
    highest, lowest = 1 + seen.count("worse"), len(seen) + 1 - seen.count("better")
    return f" · {highest}" if highest == lowest else f" · {highest}-{lowest}"


def _reported(table: Table) -> str:
    if table.reported is None:
        return "No list of published numbers was given."
    rows = [["Row", *table.reported.metrics]]
    rows += [
        [label, *(cells[m].value if m in cells else "" for m in table.reported.metrics)]
        for label, cells in table.reported.rows
    ]
    source = f"Source: {table.reported.origin}, on {table.reported.dataset}. {' '.join(table.reported.notes)}"
    return f"{markdown_table(rows)}\n\n{source}"


def csv_text(table: Table) -> str:
    """Return every value of rows and controls, every paired test, every reported value, at full precision, as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        ["kind", "row", "against", "metric", "value", "low", "high", "p_value", "by_seed", "error", "outcome"]
    )
    for kind, rows in (("measured", table.cells), ("shown", table.shown), ("control", table.controls)):
        for label, cells in rows.items():
            of = kind if label in table.cells else "control"
            for name, value in cells.items():
                seeds = " ".join(repr(v) for v in value.by_seed)
                numbers = map(_number, (value.value, value.low, value.high))
                writer.writerow([of, label, "", name, *numbers, "", seeds, "", ""])
    for name, gaps in table.differences.items():
        for (first, second), gap in gaps.items():
            tested = [_number(gap.p_value), "", _number(gap.error), table.outcomes[name][first, second]]
            writer.writerow(["difference", first, second, name, _number(gap.difference), "", "", *tested])
    for label, row in table.reported.rows if table.reported else ():
        for metric, found in row.items():
            writer.writerow(["reported", label, "", metric, found.value, *[""] * 6])
    return buffer.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else repr(value)
