"""The column `people`: what a listening test says of systems.

Its value is how often a system is preferred to another of the test (Bradley-Terry), with the interval over raters and
source videos. Ranks follow the pairs of the test, Holm-corrected, among the systems that the table ranks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foleybench.artefacts.people import people_of
from foleybench.leaderboard.board import Board, BoardCell, BoardRow
from foleybench.leaderboard.columns import Column
from foleybench.leaderboard.significance import ALPHA, Standing
from foleybench.stats.ranking import shared_ranks

NAME = "people"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PeopleBoard(Board):
    """A table with what people say.

    Attributes:
        people: Column name -> the file that it comes from.
    """

    people: Mapping[str, Mapping[str, Any]]


def with_people(boards: Sequence[Board], folder: Path) -> list[Board]:
    """Return the boards, each with a column for every listening test of its test set.

    Args:
        boards: The tables.
        folder: Where ``foleybench votes`` put its results; it need not be there.

    Raises:
        ResultError: A file is broken or edited.
    """
    found: list[Board] = []
    for board in boards:
        tests = people_of(folder, (board.dataset, board.split, board.manifest_sha256)) if folder.is_dir() else []
        found.append(_with_columns(board, tests) if tests else board)
    return found


def _with_columns(board: Board, tests: Sequence[Mapping[str, Any]]) -> PeopleBoard:
    names = [NAME if index == 0 else f"{NAME}_{index + 1}" for index in range(len(tests))]
    # Where a protocol has headlines, people are one; where it has none, all columns are.
    axis = NAME if any(column.axis for column in board.columns) else ""
    columns = [
        Column(name=name, title=_title(test, len(tests)), unit="%", better="higher", version=1, axis=axis)
        for name, test in zip(names, tests, strict=True)
    ]
    rows = list(board.rows)
    for name, test in zip(names, tests, strict=True):
        places = _standings(rows, test)
        rows = [
            dataclasses.replace(row, cells={**row.cells, name: _cell(row, board, test, places.get(row.entry.row_name))})
            for row in rows
        ]
    fields = {field.name: getattr(board, field.name) for field in dataclasses.fields(Board)}
    fields |= {
        "columns": (*board.columns, *columns),
        "rows": tuple(rows),
        "comparisons": {**board.comparisons, **dict.fromkeys(names, ())},
    }
    return PeopleBoard(**fields, people=dict(zip(names, tests, strict=True)))


def _title(test: Mapping[str, Any], n_tests: int) -> str:
    return f"People: {test['question']}" if n_tests > 1 and test["question"] else "People"


def _cell(row: BoardRow, board: Board, test: Mapping[str, Any], standing: Standing | None) -> BoardCell:
    system = test["systems"].get(row.entry.row_name)
    if system is None:
        return BoardCell(state="not_run", reason="not in the listening test")
    value, low, high = (None if system["preferred"][end] is None else 100 * system["preferred"][end] for end in _ENDS)
    n = test["n"]
    asked = [f"asked: {test['question']}"] if test["question"] else []
    score = f"Bradley-Terry score {system['score']['value']:+.2f}"
    return BoardCell(
        state="ok",
        value=value,
        low=low,
        high=high,
        n_used=n["clips"],
        n_asked=board.n_clips,
        notes=(f"{system['n_votes']} votes of {n['raters']} raters", score, *asked),
        standing=standing,
    )


_ENDS = ("value", "low", "high")


def _standings(rows: Sequence[BoardRow], test: Mapping[str, Any]) -> dict[str, Standing]:
    """Return the places of the systems that are ranked and in the test."""
    names = [row.entry.row_name for row in rows if not row.why_unranked and row.entry.row_name in test["systems"]]
    pairs = {(pair["first"], pair["second"]): pair for pair in test["pairs"]}

    def of(i: int, j: int) -> tuple[float, float | None]:
        turned = (names[i], names[j]) not in pairs
        pair = pairs[(names[j], names[i]) if turned else (names[i], names[j])]
        return -pair["difference"] if turned else pair["difference"], pair["p_holm"]

    ranks = shared_ranks(len(names), lambda i, j: of(i, j)[0], lambda i, j: of(i, j)[1], alpha=ALPHA)
    return {name: Standing(low, high, low == 1) for name, (low, high) in zip(names, ranks, strict=True)}


def agreement_rows(board: Board) -> list[dict[str, Any]]:
    """Return how well the metrics of a table agree with people, as ``votes --results`` found it.

    Records of another protocol, or of another version of a metric, are left out.
    """
    if not isinstance(board, PeopleBoard):
        return []
    versions = {column.name: (column.title, column.version) for column in board.columns}
    return [
        {**record, "title": versions[record["metric"]][0]}
        for test in board.people.values()
        for record in test["metrics"]
        if record["protocol"] == board.protocol
        and record["subset"] == board.subset
        and versions.get(record["metric"], ("", None))[1] == record["version"]
    ]
