"""Write a cell's numbers as text, alike in every table."""

from __future__ import annotations

from collections.abc import Iterable

from foleybench.leaderboard.board import Board, BoardCell
from foleybench.leaderboard.columns import Column
from foleybench.pages.number_text import decimals_of, fixed_decimals

STATE_WORDS = {"undefined": "undefined", "not_run": "not run", "failed": "failed", "stale": "stale"}


def decimals_for(cells: Iterable[BoardCell]) -> int:
    """Return the decimals of a column: two digits of the median half width of its intervals.

    Without intervals: three digits of the median value.
    """
    known = [cell for cell in cells if cell.value is not None]
    halves = sorted((c.high - c.low) / 2 for c in known if c.low is not None and c.high is not None and c.high > c.low)
    sizes = sorted(abs(cell.value) for cell in known if cell.value)
    if halves:
        return decimals_of(halves[len(halves) // 2], digits=2)
    return decimals_of(sizes[len(sizes) // 2], digits=3) if sizes else 3


def interval(cell: BoardCell, decimals: int) -> str:
    """Return ``[low, high]``, with ≈ before it when it is approximate, or "" without an interval."""
    if cell.low is None or cell.high is None:
        return ""
    ends = f"[{fixed_decimals(cell.low, decimals)}, {fixed_decimals(cell.high, decimals)}]"
    return f"≈ {ends}" if cell.approximate else ends


def rank_text(cell: BoardCell) -> str:
    """Return ``2`` or ``1-3``, or "" for a cell that is not ranked."""
    if cell.standing is None:
        return ""
    low, high, _ = cell.standing
    return str(low) if low == high else f"{low}-{high}"


def unranked_columns(boards: Iterable[Board]) -> list[str]:
    """Return the titles of the columns that are shown without ranks, each once and with its reason."""
    return list(dict.fromkeys(f"{c.title} ({c.unranked})" for board in boards for c in board.columns if c.unranked))


def matched_text(cell: BoardCell, decimals: int) -> str:
    """Return ``⇥ 0.02 (to 8 kHz)``, or "" for a cell whose real sound was not limited."""
    if cell.matched is None or cell.matched_hz is None:
        return ""
    return f"⇥ {fixed_decimals(cell.matched, decimals)} (to {cell.matched_hz / 1000:.3g} kHz)"


def is_bold(board: Board, column: Column, cell: BoardCell) -> bool:
    """Whether a cell is best or not significantly different from the best, in a column where some cell is worse."""
    ranked = [row.cells[column.name].standing for row in board.rows if row.cells[column.name].standing]
    return cell.standing is not None and cell.standing.best and len(ranked) > 1


def count(n: int | float | None) -> str:
    """Return a count for people: ``812``, ``45.3 k``, ``157 M``, ``1.03 B``; "" when unknown.

    Example:
        >>> [count(n) for n in (812, 45_300, 157_000_000, 1_030_000_000)]
        ['812', '45.3 k', '157 M', '1.03 B']
    """
    if n is None:
        return ""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if n >= size:
            return f"{n / size:.3g} {letter}"
    return f"{n:g}"


def seconds(value: float | None) -> str:
    """Return seconds with three digits, or "" when unknown.

    Example:
        >>> [seconds(v) for v in (12.3456, 0.012345, None)]
        ['12.3', '0.0123', '']
    """
    return "" if value is None else f"{value:.3g}"
