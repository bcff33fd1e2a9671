"""Write the page's head: sentence and plot of the largest table."""

from __future__ import annotations

from typing import Any

from foleybench.leaderboard import cell_text, plots
from foleybench.leaderboard.board import Board
from foleybench.leaderboard.columns import Column
from foleybench.pages import number_text


def hero(board: Board, title: str) -> dict[str, Any]:
    """Return sentence and plot of the headline metric, with all systems and controls.

    Args:
        board: The table of the largest data set.
        title: Text beside the data set's name in its heading.
    """
    lead = next((column for column in board.columns if column.axis), board.columns[0])
    axes = {column.axis: column for column in board.columns if column.axis}
    other = axes.get("semantics") or axes.get("quality")
    plot = plots.scatter(board, other, lead) if other and other is not lead else None
    caption = f"{lead.title} against {other.title}" if plot and other else f"{lead.title}, 95 % intervals"
    return {
        "where": f"{board.dataset} {title}",
        "key": board.key,
        "sentence": _sentence(board, lead),
        "caption": caption,
        "svg": plot or plots.forest(board, lead),
    }


def _sentence(board: Board, lead: Column) -> str:
    """Name the leading system, its value, and the number of systems not significantly different from it."""
    ranked = [row for row in board.rows if row.cells[lead.name].standing]
    if not ranked:
        return f"{board.n_clips} clips; no system is ranked yet."
    first = ranked[0]
    cell = first.cells[lead.name]
    decimals = cell_text.decimals_for(row.cells[lead.name] for row in board.rows)
    unit = "" if lead.unit in ("1", "") else f" {lead.unit}"
    value = f"{number_text.fixed_decimals(cell.value, decimals) if cell.value is not None else ''}{unit}"
    words = f"{first.title} has the best {lead.title}: {value} {cell_text.interval(cell, decimals)}".rstrip()
    places = [row.cells[lead.name].standing for row in ranked]
    alike = sum(place is not None and place.best for place in places) - 1
    if alike < 1:
        return f"{words}, over {board.n_clips} clips and {len(ranked)} ranked systems."
    others = "one other is" if alike == 1 else f"{alike} others are"
    return f"{words}; {others} not significantly different ({board.n_clips} clips, {len(ranked)} ranked systems)."
