"""Check a submitted row, and find its rank among the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from foleybench.artefacts.entries import ResultEntry, read_all
from foleybench.errors import FoleyError, ResultError
from foleybench.leaderboard import cell_text
from foleybench.leaderboard.board import Board, BoardRow, make_boards
from foleybench.leaderboard.columns import Column
from foleybench.leaderboard.recompute import disagreements, not_recomputed
from foleybench.leaderboard.significance import ALPHA
from foleybench.pages import number_text


def examine(path: Path, results_folder: Path) -> tuple[list[str], list[str]]:
    """Recompute a result from its clip table and rank it in its table.

    Args:
        path: The result file, in ``results_folder``.
        results_folder: All results of the leaderboard, one folder a data set.

    Returns:
        Sentences on faults to mend before the row is ranked; and lines that show its ranks.

    Raises:
        FoleyError: The file is not in the folder of results.
        ResultError: A result is broken, its clip table is missing or edited, or another result has its name.
    """
    entries = read_all(results_folder)
    entry = next((entry for entry in entries if entry.path.resolve() == path.resolve()), None)
    if entry is None:
        dataset = results_folder / "<data set>"
        raise FoleyError(f"{path} is not among the results; put it and its clip table into {dataset}/ and check again.")
    problems = [f"{entry.name}: {problem}" for problem in _no_values(entry)]
    if problems:
        return problems, []
    (board,) = make_boards([other for other in entries if other.board_key == entry.board_key])
    row = next(row for row in board.rows if row.entry.path == entry.path)
    problems = [*_alone(entry, entries), *_unranked(board, row), *not_recomputed([entry])]
    return [f"{entry.name}: {problem.removeprefix(f'{entry.path}: ')}" for problem in problems], _places(board, row)


def _no_values(entry: ResultEntry) -> list[str]:
    """Return why the values cannot be believed at all; the row then has no rank."""
    try:
        return disagreements(entry)
    except ResultError as error:
        return [str(error)]


def _alone(entry: ResultEntry, entries: Sequence[ResultEntry]) -> list[str]:
    """Return why a row is not in the table that others of its data set, split and protocol share."""
    mates = [other for other in entries if other is not entry and other.board_key[:3] == entry.board_key[:3]]
    if not mates or any(other.board_key == entry.board_key for other in mates):
        return []
    hashes = sorted({other.board_key[3][:12] for other in mates})
    own, subset = entry.board_key[3][:12], entry.board_key[4][:12]
    if own in hashes:
        return [
            f"the row was scored on {f'the subset {subset}' if subset else 'all clips'}, no other row of the set was"
        ]
    return [
        f"the row's test set is {own}, that of the other rows {' or '.join(hashes)}: prepare the split that they have"
    ]


def _unranked(board: Board, row: BoardRow) -> list[str]:
    found = [row.why_unranked] if row.why_unranked else []
    for column in board.columns:
        cell = row.cells[column.name]
        if cell.state != "ok":
            found.append(f"{column.name}: {cell_text.STATE_WORDS[cell.state]}, {cell.reason}")
    return found


def _places(board: Board, row: BoardRow) -> list[str]:
    n_ranked = sum(not other.why_unranked for other in board.rows)
    lines = [f"{row.title} on {board.dataset} / {board.split} under {board.protocol}, {n_ranked} ranked systems:"]
    return [*lines, *(f"  {_place(board, column, row)}" for column in board.columns)]


def _place(board: Board, column: Column, row: BoardRow) -> str:
    cell = row.cells[column.name]
    decimals = cell_text.decimals_for(other.cells[column.name] for other in board.rows)
    value = number_text.fixed_decimals(cell.value, decimals) if cell.value is not None else "no value"
    words = [
        f"{column.title} {number_text.ARROWS[column.better]} {value} {cell_text.interval(cell, decimals)}".rstrip()
    ]
    ranked = sum(other.cells[column.name].standing is not None for other in board.rows)
    why = f" ({column.unranked})" if column.unranked else ""
    words.append(f"rank {cell_text.rank_text(cell)} of {ranked}" if cell.standing else f"not ranked{why}")
    alike = _alike(board, column, row) if cell.standing else []
    words += [f"not significantly different from {', '.join(alike)}"] if alike else []
    return "; ".join(words)


def _alike(board: Board, column: Column, row: BoardRow) -> list[str]:
    """Return the titles of the systems that are not significantly different from a row."""
    titles = {other.entry.row_name: other.title for other in board.rows}
    own = row.entry.row_name
    return [
        titles[second if first == own else first]
        for first, second, comparison in board.comparisons[column.name]
        if own in (first, second) and (comparison.p_holm is None or comparison.p_holm >= ALPHA)
    ]
