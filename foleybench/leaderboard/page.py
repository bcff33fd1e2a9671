"""Write the leaderboard page: one self-contained HTML file.

Style, script and plots are inside, so that the page works from disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from foleybench import registry
from foleybench.artefacts.published import ReportedTable
from foleybench.leaderboard import cell_text, listening, plots, provenance
from foleybench.leaderboard.board import Board, BoardCell, BoardRow
from foleybench.leaderboard.columns import Column
from foleybench.leaderboard.hero import hero
from foleybench.leaderboard.paper_tables import PaperTable
from foleybench.leaderboard.people_column import PeopleBoard, agreement_rows
from foleybench.leaderboard.significance import ALPHA, SEED, Comparison
from foleybench.pages import number_text
from foleybench.pages.number_text import p_text
from foleybench.pages.template import fill, trusted
from foleybench.scoring.cards import metric_facts, metric_words

_PACKAGE = "foleybench.leaderboard"
_MOST_PROBLEMS = 20
_MOST_CLASSES = 40


def render_leaderboard(
    boards: Sequence[Board],
    reported: Sequence[ReportedTable],
    sounds: Mapping[str, listening.ListeningSamples] | None = None,
    paper_tables: Sequence[PaperTable] = (),
) -> str:
    """Return the page.

    Args:
        boards: The tables; the largest data set is shown first.
        reported: Tables of papers.
        sounds: Data set -> the listening page that a row leads to, and the systems on it.
        paper_tables: Pages of the paper's tables, measured, to link to.
    """
    ordered = _largest_first(boards)
    titles = board_titles(ordered)
    metrics = sorted({c.name for board in boards for c in board.columns if c.metric})
    return fill(
        _PACKAGE,
        "index.html.j2",
        css=trusted("foleybench.pages", "theme.css") + trusted(_PACKAGE, "index.css"),
        js=trusted(_PACKAGE, "index.js"),
        hero=hero(ordered[0], titles[ordered[0].key]) if ordered else None,
        boards=[_board(board, titles[board.key], (sounds or {}).get(board.dataset)) for board in ordered],
        heard=set(sounds or {}),
        cards=[_card(name) for name in metrics],
        reported=[_reported(table) for table in reported],
        paper_tables=paper_tables,
        unranked=cell_text.unranked_columns(boards),
        seed=SEED,
    )


def _largest_first(boards: Sequence[Board]) -> list[Board]:
    """Return the boards, those of the data set with the most clips first, each data set's beside each other."""
    most: dict[str, int] = {}
    for board in boards:
        most[board.dataset] = max(most.get(board.dataset, 0), board.n_clips)
    return sorted(boards, key=lambda board: (-most[board.dataset], board.dataset, -board.n_clips, board.key))


def board_titles(boards: Sequence[Board]) -> dict[str, str]:
    """Return the text beside each board's data set in its heading, so that no two headings are alike.

    The split, a subset's name and, where boards share those, the protocol, then the start of the manifest's hash.
    """
    plain = {board.key: f"{board.split}{f', subset {board.subset}' if board.subset else ''}" for board in boards}
    tried = [
        plain,
        {board.key: f"{plain[board.key]}, {board.protocol_title}" for board in boards},
        {board.key: f"{plain[board.key]}, {board.protocol_title}, {board.manifest_sha256[:8]}" for board in boards},
        {board.key: f"{plain[board.key]}, {board.protocol_title}, {board.key[-17:]}" for board in boards},
    ]
    found = {}
    for board in boards:
        mates = [other.key for other in boards if other.dataset == board.dataset and other.key != board.key]
        unlike = [words[board.key] for words in tried if all(words[mate] != words[board.key] for mate in mates)]
        found[board.key] = unlike[0] if unlike else tried[-1][board.key]
    return found


def _card(name: str) -> dict[str, Any]:
    words, *more = metric_words(name).split("\n\n")
    metric = registry.load("metrics", name)
    return {"name": name, "title": metric.title, "words": [words, *more], "facts": metric_facts(name)}


def _board(board: Board, title: str, sounds: listening.ListeningSamples | None) -> dict[str, Any]:
    decimals = {c.name: cell_text.decimals_for(row.cells[c.name] for row in board.rows) for c in board.columns}
    rows = [_row(board, row, index, decimals, sounds) for index, row in enumerate(board.rows)]
    n_shown = sum(bool(row.why_unranked) for row in board.rows)
    return {
        "board": board,
        "title": title,
        "groups": _groups(rows),
        "columns": [_column(board, column) for column in board.columns],
        "rows": rows,
        "speed_column": board.speed_column,
        "n_ranked": len(rows) - n_shown,
        "n_shown": n_shown,
        "problems": _problem_words(board),
        "figures": _figures(board),
        "heat_maps": [heat for column in board.headlines if (heat := _heat_map(board, column, decimals[column.name]))],
        "agreement": [_agreement(record) for record in agreement_rows(board)],
        "people": isinstance(board, PeopleBoard),
        "pairs": [pair for column in board.columns for pair in _pairs(board, column, decimals[column.name])],
    }


def _groups(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows in groups: ranked ones, systems that are not ranked, and controls with oracles, folded."""
    aside = [row for row in rows if row["why"]]
    apart = [row for row in aside if row["kind"] not in ("control", "oracle")]
    controls = [row for row in aside if row["kind"] in ("control", "oracle")]
    n_oracles = sum(row["kind"] == "oracle" for row in controls)
    counted = [(len(controls) - n_oracles, "control"), (n_oracles, "oracle")]
    names = " and ".join(f"{n} {name}{'' if n == 1 else 's'}" for n, name in counted if n)
    groups = [
        {"title": "", "rows": [row for row in rows if not row["why"]], "folds": False},
        {"title": "Shown, not ranked", "rows": apart, "folds": False},
        {"title": f"{names}: what a metric can see; never ranked", "rows": controls, "folds": True},
    ]
    return [group for group in groups if group["rows"] or not group["title"]]


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
        "hover": f"{column.name}, version {column.version}, {column.better} is better"
        + (f"; no ranks: {column.unranked}" if column.unranked else ""),
        "card": column.metric is not None,
    }


def _row(
    board: Board, row: BoardRow, index: int, decimals: Mapping[str, int], sounds: listening.ListeningSamples | None
) -> dict[str, Any]:
    result = row.entry.result
    problems = result["problems"]
    return {
        "key": f"{board.key}-{index}",
        "title": row.title,
        "kind": str(row.model["kind"]),
        "why": row.why_unranked,
        # Oracle and control rows show their kind as a mark, without a note.
        "note": row.why_unranked if result["status"] != "complete" else "",
        "cells": [_cell(board, column, row.cells[column.name], decimals[column.name]) for column in board.columns],
        "parameters": cell_text.count(row.model.get("parameters")),
        "parameters_n": row.model.get("parameters"),
        "seconds": cell_text.seconds(row.seconds_per_clip),
        "seconds_n": row.seconds_per_clip,
        "sound": sounds.link(row.entry.row_name) if sounds else "",
        "sound_page": f"{listening.FOLDER}/{board.dataset}.html",
        "licence": row.model.get("licence"),
        "n_scored": result["dataset"].get("n_scored", "?"),
        "n_clips": result["dataset"]["n_clips"],
        "not_scored": row.not_scored,
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
    words = [f"{cell.n_used} of {cell.n_asked} clips{f' ({cell.fewer})' if cell.fewer else ''}"]
    if cell.corrected is not None:
        words.append(f"corrected for sample size: {number_text.fixed_decimals(cell.corrected, decimals)}")
    return ", ".join([*words, *cell.notes])


def _problem_words(board: Board) -> str:
    """Name the results that have clips with problems."""
    found = [(row.title, len(row.entry.result["problems"])) for row in board.rows if row.entry.result["problems"]]
    listed = ", ".join(f"{title} ({n})" for title, n in found)
    return f"Clips with problems: {listed}. Each is named in the row's provenance." if found else ""


def _figures(board: Board) -> list[dict[str, Any]]:
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
    if not rows or column.name not in rows[0].entry.result["metrics"]:  # people say nothing of classes
        return None
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


def _agreement(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return how well a metric agrees with people, as text."""
    spearman, agrees = record["spearman"], record["agrees"]
    known = spearman["value"] is not None
    return {
        "title": record["title"],
        "spearman": f"{spearman['value']:.2f}" if known else "cannot be said",
        "reason": record["reason"],
        "spearman_interval": f"[{spearman['low']:.2f}, {spearman['high']:.2f}]" if known else "",
        "kendall": "" if record["kendall"] is None else f"{record['kendall']:.2f}",
        "n_systems": record["n_systems"],
        "agrees": "" if agrees["value"] is None else f"{100 * agrees['value']:.0f} %",
        "agrees_interval": "" if agrees["low"] is None else f"[{100 * agrees['low']:.0f}, {100 * agrees['high']:.0f}]",
        "n_votes": record["n_votes"],
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
