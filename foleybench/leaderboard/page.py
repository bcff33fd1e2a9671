"""The leaderboard page: one self-contained HTML file.

Style, script and plots are inside, so that it works from disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from foleybench.artefacts.published import ReportedTable
from foleybench.leaderboard import cell_text, plots, provenance
from foleybench.leaderboard.board import Board, BoardCell, BoardRow, Column
from foleybench.leaderboard.significance import ALPHA, SEED, Comparison
from foleybench.pages import number_text
from foleybench.pages.number_text import p_text
from foleybench.pages.template import fill, trusted

_PACKAGE = "foleybench.leaderboard"
_MOST_PROBLEMS = 20
_MOST_CLASSES = 40


def render_leaderboard(boards: Sequence[Board], reported: Sequence[ReportedTable]) -> str:
    """Return the page."""
    return fill(
        _PACKAGE,
        "index.html.j2",
        css=trusted("foleybench.pages", "theme.css") + trusted(_PACKAGE, "index.css"),
        js=trusted(_PACKAGE, "index.js"),
        boards=[_board(board) for board in boards],
        reported=[_reported(table) for table in reported],
        seed=SEED,
    )


def _board(board: Board) -> dict[str, Any]:
    decimals = {c.name: cell_text.decimals_for(row.cells[c.name] for row in board.rows) for c in board.columns}
    rows = [_row(board, row, index, decimals) for index, row in enumerate(board.rows)]
    n_shown = sum(bool(row.why_unranked) for row in board.rows)
    return {
        "board": board,
        "columns": [_column(board, column) for column in board.columns],
        "rows": rows,
        # The metric of the same name says it better, with an interval.
        "speed_column": all(column.name != "seconds_per_clip" for column in board.columns),
        "n_ranked": len(rows) - n_shown,
        "n_shown": n_shown,
        "problems": _problem_words(board),
        "pictures": _pictures(board),
        "heat_maps": [heat for column in board.headlines if (heat := _heat_map(board, column, decimals[column.name]))],
        "pairs": [pair for column in board.columns for pair in _pairs(board, column, decimals[column.name])],
    }


def _column(board: Board, column: Column) -> dict[str, Any]:
    lead = next((c for c in board.columns if c.axis), board.columns[0])
    return {
        "name": column.name,
        "title": column.title,
        "better": column.better,
        "axis": column.axis,
        "unit": "" if column.unit in ("1", "") else f"{column.unit} ",
        "arrow": number_text.ARROWS[column.better],
        "lead": column is lead,
        "hover": f"{column.name}, version {column.version}, {column.better} is better",
    }


def _row(board: Board, row: BoardRow, index: int, decimals: Mapping[str, int]) -> dict[str, Any]:
    result = row.entry.result
    problems = result["problems"]
    return {
        "key": f"{board.key}-{index}",
        "title": row.title,
        "kind": str(row.model["kind"]),
        "why": row.why_unranked,
        # Oracle and control rows carry their kind as a mark, and say no more.
        "note": row.why_unranked if result["status"] != "complete" else "",
        "cells": [_cell(board, column, row.cells[column.name], decimals[column.name]) for column in board.columns],
        "parameters": cell_text.count(row.model.get("parameters")),
        "parameters_n": row.model.get("parameters"),
        "seconds": cell_text.seconds(row.seconds_per_clip),
        "seconds_n": row.seconds_per_clip,
        "device": row.device,
        "licence": row.model.get("licence"),
        "n_scored": result["dataset"].get("n_scored", "?"),
        "n_clips": result["dataset"]["n_clips"],
        "description": row.model.get("description"),
        "provenance": provenance.fact_groups(row),
        "command": result["run"].get("command") or "not recorded",
        "problems": problems[:_MOST_PROBLEMS],
        "n_problems": len(problems),
    }


def _cell(board: Board, column: Column, cell: BoardCell, decimals: int) -> dict[str, Any]:
    known = cell.value is not None and cell.state == "ok"
    return {
        "cell": cell,
        "value": number_text.fixed_decimals(cell.value, decimals) if cell.value is not None else "",
        "interval": cell_text.interval(cell, decimals),
        "rank": cell_text.rank_text(cell),
        "bold": cell_text.is_bold(board, column, cell),
        "state": cell_text.STATE_WORDS.get(cell.state, ""),
        "hover": _hover(cell, decimals) if known else cell.reason,
    }


def _hover(cell: BoardCell, decimals: int) -> str:
    words = [f"{cell.n_used} of {cell.n_asked} clips"]
    if cell.not_applicable:
        words.append(f"{cell.not_applicable} not applicable")
    if cell.corrected is not None:
        words.append(f"corrected for sample size: {number_text.fixed_decimals(cell.corrected, decimals)}")
    return ", ".join(words)


def _problem_words(board: Board) -> str:
    """Say which results have clips that could not be scored as they should."""
    found = [(row.title, len(row.entry.result["problems"])) for row in board.rows if row.entry.result["problems"]]
    listed = ", ".join(f"{title} ({n})" for title, n in found)
    return f"Clips with problems: {listed}. Each is named in the row's provenance." if found else ""


def _pictures(board: Board) -> list[dict[str, Any]]:
    axes = {column.axis: column for column in board.columns if column.axis}
    found: list[tuple[str, Markup | None]] = [(c.title, plots.forest(board, c)) for c in board.headlines]
    if "timing" in axes and "semantics" in axes:
        found.append(("Timing against semantics", plots.scatter(board, axes["semantics"], axes["timing"])))
    elif "timing" in axes and "quality" in axes:
        found.append(("Timing against quality", plots.scatter(board, axes["quality"], axes["timing"])))
    best = axes.get("quality") or board.headlines[0]
    found.append((f"{best.title} against speed", plots.against_seconds(board, best)))
    found += [(f"{c.title}: other tolerances", plots.tolerance_curves(board, c)) for c in board.columns]
    return [{"title": title, "svg": svg} for title, svg in found if svg is not None]


def _heat_map(board: Board, column: Column, decimals: int) -> dict[str, Any] | None:
    """Return the values per class, shaded from the worst to the best value of the table."""
    rows = [row for row, _ in plots.known_cells(board, column)]
    records = [row.entry.result["metrics"][column.name]["per_class"] for row in rows]
    labels = sorted({label for record in records for label in record if label})
    values = [r[label]["value"] for r in records for label in labels if label in r and r[label]["value"] is not None]
    if len(labels) < 2 or not values:
        return None
    low, high = min(values), max(values)
    shown = _most_telling(records, labels)
    some = f", the {len(shown)} of {len(labels)} classes that differ most" if len(shown) < len(labels) else ""

    def cell(record: Mapping[str, Any], label: str) -> dict[str, Any]:
        value = record.get(label, {}).get("value")
        if value is None:
            return {"share": None, "text": "–", "hover": f"{label}: undefined"}
        share = (value - low) / (high - low) if high > low else 1.0
        share = share if column.better == "higher" else 1.0 - share
        text = number_text.fixed_decimals(value, min(decimals, 2))
        return {"share": f"{share:.3f}", "text": text, "hover": f"{label}: {value:.4g} from {record[label]['n']} clips"}

    return {
        "title": f"{column.title} by class{some}",
        "labels": shown,
        "rows": [
            {"title": row.title, "cells": [cell(record, label) for label in shown]}
            for row, record in zip(rows, records, strict=True)
        ],
    }


def _most_telling(records: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> list[str]:
    """Return the classes between whose systems the value differs most, by name; all when they are few."""

    def spread(label: str) -> float:
        values = [r[label]["value"] for r in records if label in r and r[label]["value"] is not None]
        return max(values) - min(values) if values else 0.0

    chosen = sorted(labels, key=lambda label: (-spread(label), label))[:_MOST_CLASSES]
    return sorted(chosen)


def _pairs(board: Board, column: Column, decimals: int) -> list[dict[str, Any]]:
    titles = {row.entry.row_name: row.title for row in board.rows}
    return [
        _pair(column, titles[first], titles[second], comparison, decimals)
        for first, second, comparison in board.comparisons[column.name]
    ]


def _pair(column: Column, first: str, second: str, comparison: Comparison, decimals: int) -> dict[str, Any]:
    paired, p_holm = comparison.paired, comparison.p_holm
    interval = ""
    if paired.low is not None and paired.high is not None:
        interval = (
            f"[{number_text.fixed_decimals(paired.low, decimals)}, {number_text.fixed_decimals(paired.high, decimals)}]"
        )
    known = paired.difference == paired.difference  # NaN: the metric is undefined on the common clips
    return {
        "metric": column.title,
        "first": first,
        "second": second,
        "n": paired.n,
        "difference": number_text.fixed_decimals(paired.difference, decimals) if known else "undefined",
        "interval": interval,
        "p": "" if p_holm is None else p_text(p_holm),
        "told_apart": p_holm is not None and p_holm < ALPHA,
    }


def _reported(table: ReportedTable) -> dict[str, Any]:
    first = table.rows[0][1]
    return {
        "origin": table.origin,
        "dataset": table.dataset,
        "heads": [f"{m} {number_text.ARROWS[first[m].better]}" if m in first else m for m in table.metrics],
        "rows": [{"label": label, "cells": [values.get(m) for m in table.metrics]} for label, values in table.rows],
        "notes": table.notes,
    }
