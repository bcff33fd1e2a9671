"""Write boards and reported tables as CSV and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from foleybench.artefacts.entries import RANKED_KINDS
from foleybench.artefacts.published import Reported, ReportedTable, across_lineages
from foleybench.leaderboard import cell_text
from foleybench.leaderboard.board import Board, BoardCell, BoardRow
from foleybench.leaderboard.columns import Column
from foleybench.pages import number_text

# First line of every Markdown file of this package, which distinguishes a leftover from a user's own file.
MARK = "<!-- Written by `foleybench leaderboard`. Do not edit: change the results and run it again. -->"
_COLUMNS = (
    *("dataset", "split", "manifest_sha256", "protocol", "protocol_version", "system", "kind", "status", "metric"),
    *("metric_version", "state", "value", "low", "high", "corrected", "unit", "better", "n_used", "n_asked"),
    *("not_applicable", "rank_low", "rank_high", "best", "reason", "result"),
    *("matched", "matched_hz"),
)


def board_csv(boards: Sequence[Board]) -> str:
    """Return every number of the boards of one data set, full precision."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for board in boards:
        for row in board.rows:
            for column in board.columns:
                writer.writerow([csv_safe(value) for value in _csv_line(board, row, column)])
    return buffer.getvalue()


def csv_safe(value: object) -> object:
    """Return text that no spreadsheet takes for a formula; everything else as it is.

    Example:
        >>> csv_safe("=1+1"), csv_safe(-1.5)
        ("'=1+1", -1.5)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _csv_line(board: Board, row: BoardRow, column: Column) -> list[object]:
    cell = row.cells[column.name]
    record = row.entry.result["metrics"].get(column.name, {})
    standing = cell.standing
    return [
        *(board.dataset, board.split, board.manifest_sha256, board.protocol, row.entry.result["protocol"]["version"]),
        *(row.entry.row_name, row.model["kind"], row.entry.result["status"], column.name, record.get("version")),
        *(cell.state, cell.value, cell.low, cell.high, cell.corrected, column.unit, column.better),
        *(cell.n_used, cell.n_asked, cell.not_applicable),
        *((standing.low, standing.high, standing.best) if standing else (None, None, None)),
        *("; ".join(filter(None, (cell.reason or row.why_unranked, *cell.notes))), row.entry.name),
        *(cell.matched, cell.matched_hz if cell.matched is not None else None),
    ]


def board_markdown(boards: Sequence[Board]) -> str:
    """Return the boards of one data set."""
    lines = [MARK, "", f"# {markdown_text(boards[0].dataset)}", ""]
    for board in boards:
        lines += [*_heading(board), *_table(board), "", *_not_scored(board), *_not_ranked(board)]
    return "\n".join([*lines, *_legend(boards)]) + "\n"


def _heading(board: Board) -> list[str]:
    title = f"## {markdown_text(board.protocol_title)} on {markdown_text(board.dataset)} / {markdown_text(board.split)}"
    subset = f" of subset {markdown_text(board.subset)}" if board.subset_sha256 else ""
    clips = markdown_text(board.coverage) or f"{board.n_clips} clips{subset}"
    ids = f" (ids `{board.subset_sha256[:12]}`)" if board.subset_sha256 else ""
    return [title, "", f"{clips}{ids}, manifest `{board.manifest_sha256[:12]}`.", ""]


def _table(board: Board) -> list[str]:
    decimals = {c.name: cell_text.decimals_for(row.cells[c.name] for row in board.rows) for c in board.columns}
    speed = "Seconds / clip" if board.speed_column else "Device"
    heads = ["System", "Kind", *(_head(column) for column in board.columns), "Parameters", speed, "Clips"]
    lines = [_line(heads), _line(["---", "---", *("---:" for _ in heads[2:])])]
    for row in board.rows:
        cells = [_cell(board, c, row.cells[c.name], decimals[c.name]) for c in board.columns]
        seconds = cell_text.seconds(row.seconds_per_clip) if board.speed_column else ""
        speed = " ".join(filter(None, (seconds, markdown_text(row.device)))) or "not reported"
        tail = [cell_text.count(row.model.get("parameters")), speed, _clips(row)]
        kind = markdown_text(str(row.model["kind"])) + ("" if not row.why_unranked else " (not ranked)")
        lines.append(_line([markdown_text(row.title), kind, *cells, *tail]))
    return lines


def _not_scored(board: Board) -> list[str]:
    """Say under a table why rows score fewer clips than were asked for."""
    told = [
        f"- {markdown_text(row.title)}, {_clips(row)} clips: {row.not_scored}." for row in board.rows if row.not_scored
    ]
    return ["Clips that are not scored:", "", *told, ""] if told else []


def _not_ranked(board: Board) -> list[str]:
    """Say under a table why systems have no rank.

    Oracles and controls, which never have one, are left out, and so are rows whose lost clips above are the reason.
    """
    told = [
        f"- {markdown_text(row.title)}: {markdown_text(row.why_unranked)}."
        for row in board.rows
        if row.why_unranked
        and row.model["kind"] in RANKED_KINDS
        and not (row.not_scored and row.why_unranked.startswith(f"{row.entry.result['status']}: "))
    ]
    return ["Systems that are not ranked:", "", *told, ""] if told else []


def _head(column: Column) -> str:
    unit = "" if column.unit in ("1", "") else f" ({markdown_text(column.unit)})"
    return f"{markdown_text(column.title)}{unit} {number_text.ARROWS[column.better]}"


def _cell(board: Board, column: Column, cell: BoardCell, decimals: int) -> str:
    if cell.value is None or cell.state != "ok":
        return f"*{cell_text.STATE_WORDS[cell.state]}*"
    value = number_text.fixed_decimals(cell.value, decimals)
    if cell_text.is_bold(board, column, cell):
        value = f"**{value}**"
    rank = cell_text.rank_text(cell)
    matched = cell_text.matched_text(cell, decimals)
    return " ".join(filter(None, (value, cell_text.interval(cell, decimals), f"· {rank}" if rank else "", matched)))


def _clips(row: BoardRow) -> str:
    dataset = row.entry.result["dataset"]
    return f"{dataset.get('n_scored', '?')}/{dataset['n_clips']}"


_MATCHED = (
    "After ⇥: the value against real sound limited to the band of the system, which ends at the frequency beside it",
    "(`eval --match-bandwidth`). Ranks are of the first value.",
)


def _legend(boards: Sequence[Board]) -> list[str]:
    return [
        "Value [95 % interval over source videos] · rank. Intervals from fewer than 8 videos are approximate (≈), from",
        "fewer than 6 there is none. Systems that are not significantly different share ranks (paired test, 5 %, Holm",
        "over all pairs of ranked systems of one column); **bold**: none is significantly better. Oracle and control",
        "rows, and results that do not cover every clip, are shown and never ranked. Plots and provenance:",
        "[index.html](index.html); every number at full precision: the CSV file beside this one.",
        *_summed(boards),
        *_unranked(boards),
        *(_MATCHED if any(cell.matched_hz for b in boards for row in b.rows for cell in row.cells.values()) else ()),
    ]


def _unranked(boards: Sequence[Board]) -> list[str]:
    """Name the columns that are shown without ranks, each with its reason."""
    told = cell_text.unranked_columns(boards)
    return ["Shown without ranks:", f"{markdown_text('; '.join(told))}."] if told else []


def _summed(boards: Sequence[Board]) -> list[str]:
    """Name the columns whose values are no means over clips."""
    titles = list(dict.fromkeys(column.title for board in boards for column in board.columns if column.summed))
    if not titles:
        return []
    names = ", ".join(markdown_text(title) for title in titles)
    return ["Sums over all clips divided, so not the mean of the clips' values:", f"{names}."]


def published_markdown(tables: Iterable[ReportedTable]) -> str:
    """Return the reported tables."""
    lines = [MARK, "", "# Reported numbers", ""]
    lines += ["As printed in their source. Not measured here, not ranked, not comparable with measured numbers.", ""]
    kept = list(tables)
    for table in kept:
        lines += _reported(table)
    lines += _across([value for table in kept for _, row in table.rows for value in row.values()])
    return "\n".join(lines).rstrip("\n") + "\n"


def _reported(table: ReportedTable) -> list[str]:
    first = table.rows[0][1]
    heads = [
        f"{markdown_text(m)} {number_text.ARROWS[first[m].better]}" if m in first else markdown_text(m)
        for m in table.metrics
    ]
    lines = [f"## {markdown_text(table.number)}. {markdown_text(table.origin)} ({markdown_text(table.dataset)})", ""]
    lines += [f"Lineage: {markdown_text(table.lineage)}.", ""]
    lines += [_line(["Row", *heads]), _line(["---", *("---:" for _ in heads)])]
    for label, values in table.rows:
        lines.append(
            _line(
                [markdown_text(label), *(markdown_text(values[m].value) if m in values else "" for m in table.metrics)]
            )
        )
    return [*lines, "", *(f"- {markdown_text(note)}" for note in table.notes), ""]


def _across(values: Sequence[Reported]) -> list[str]:
    found = across_lineages(values)
    if not found:
        return []
    lines = ["## The same system in different lineages", ""]
    lines += [
        "How far reported values of one system lie apart on VGGSound: so much do toolkit, clips and length decide.",
        "",
    ]
    lines += [_line(["System", "Quantity", "Values", "Largest / smallest"]), _line(["---", "---", "---", "---:"])]
    for system, family, some in found:
        cells = "; ".join(f"{one.value} ({one.metric}, {one.lineage}, table {one.table})" for one in some)
        sizes = [abs(float(one.value)) for one in some]
        ratio = f"{max(sizes) / min(sizes):.2f}" if min(sizes) else ""
        lines.append(_line([markdown_text(system), markdown_text(family), markdown_text(cells), ratio]))
    return [*lines, ""]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def markdown_text(value: str) -> str:
    """Return text that Markdown shows as it is: no table, no HTML, no markup, one line.

    Example:
        >>> print(markdown_text("a*b<i>"))  # doctest: +ELLIPSIS
        a...*b&lt;i&gt;
    """
    flat = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{c}" if c in "\\|*_`[]#~" else c for c in flat)
