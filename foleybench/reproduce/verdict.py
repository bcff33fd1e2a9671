"""Test whether the paper's ordering holds here, over all pairs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from foleybench.reproduce.measure import Difference
from foleybench.stats import ranking

ALPHA = 0.05
Answer = Literal["yes", "no", "undecided"]


class ColumnVerdict(NamedTuple):
    """One column's answer.

    Attributes:
        answer: ``yes`` when the paper's best row is significantly better here than every other; ``no`` when another row
            is significantly better than it; else ``undecided``.
        best: The paper's best row.
        beaten_by: Rows that are significantly better than it here.
        confirmed: Pairs that the paper orders and that differ significantly here, the same way.
        reversed: Pairs that differ significantly here, the other way.
        open: Pairs that are not significantly different here.
    """

    answer: Answer
    best: str
    beaten_by: tuple[str, ...]
    confirmed: int
    reversed: int
    open: int


def judge_column(
    reported: Mapping[str, float],
    differences: Mapping[tuple[str, str], Difference],
    better: Literal["higher", "lower"],
) -> ColumnVerdict:
    """Compare one column of a table with the paper's.

    Args:
        reported: Row -> the paper's value.
        differences: (row, row) -> measured difference, for every pair of rows in the order of ``reported``.
        better: Direction of the column, the same on both sides.

    Returns:
        The verdict; p-values are Holm-corrected within the column.
    """
    pairs = [pair for pair in itertools.combinations(reported, 2) if reported[pair[0]] != reported[pair[1]]]
    told = [pair for pair in pairs if differences[pair].p_value is not None]
    corrected = dict(zip(told, ranking.holm([differences[pair].p_value or 0.0 for pair in told]), strict=True))
    sign = 1.0 if better == "higher" else -1.0
    outcomes: dict[tuple[str, str], int] = {}
    for first, second in pairs:
        pair = (first, second)
        clear = corrected.get(pair, 1.0) < ALPHA
        same = (reported[first] - reported[second]) * differences[pair].difference > 0
        outcomes[pair] = (1 if same else -1) if clear else 0
    best = max(reported, key=lambda row: sign * reported[row])
    against = {pair: outcome for pair, outcome in outcomes.items() if best in pair}
    beaten_by = tuple(_other(pair, best) for pair, outcome in against.items() if outcome < 0)
    answer: Answer = "no" if beaten_by else "yes" if against and min(against.values()) > 0 else "undecided"
    counts = [list(outcomes.values()).count(outcome) for outcome in (1, -1, 0)]
    return ColumnVerdict(answer, best, beaten_by, *counts)


def _other(pair: tuple[str, str], row: str) -> str:
    return pair[1] if pair[0] == row else pair[0]


def overall(verdicts: Sequence[ColumnVerdict]) -> Answer:
    """Return the answer for a table: ``yes`` when every column says so, ``no`` when any does, else ``undecided``."""
    answers = [verdict.answer for verdict in verdicts]
    if "no" in answers:
        return "no"
    return "yes" if answers and all(answer == "yes" for answer in answers) else "undecided"


def sentence(title: str, verdict: ColumnVerdict) -> str:
    """Return a column's verdict in a sentence.

    Example:
        >>> sentence("KLD", ColumnVerdict("undecided", "GDCF", (), 0, 0, 1))
        'KLD: undecided; of 1 ordered pair 0 confirmed, 0 reversed, 1 not significantly different.'
    """
    n = verdict.confirmed + verdict.reversed + verdict.open
    pairs = f"{n} ordered pair{'' if n == 1 else 's'}"
    beaten = f" (better here than {verdict.best}: {', '.join(verdict.beaten_by)})" if verdict.beaten_by else ""
    counts = f"{verdict.confirmed} confirmed, {verdict.reversed} reversed, {verdict.open} not significantly different"
    return f"{title}: {verdict.answer}{beaten}; of {pairs} {counts}."
