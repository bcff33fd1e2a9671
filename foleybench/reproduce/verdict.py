"""Test whether the paper's ordering holds here, over all pairs.

Two rows are compared with a margin that was stated before a table was measured on version 2 of the corpus: the smallest
difference worth a sentence.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from foleybench.reproduce.measure import Difference, equivalence_p
from foleybench.stats import ranking

ALPHA = 0.05
# In each metric's own unit.
MARGINS = {
    "event_f1_25ms": 0.02,
    "event_f1": 0.02,
    "class_accuracy": 0.02,
    "align_acc_mini": 2.0,
    "kld_mini": 0.05,
    "fad_mini": 1.0,
}
MARGINS_ORIGIN = (
    "The margins were set on version 1 of SynthFoley, before any table was measured on version 2, and kept: two points "
    "of a percentage, .02 in F1 and accuracy; in KLD and FAD about what the oracle, another take of the true events, "
    "scored there (0.04 nat and 1.0 on 208 clips; on version 2 it scores 0.15 and 0.2, `leaderboards/synthfoley.csv`)."
)
Outcome = Literal["better", "worse", "equivalent", "undecided"]
Answer = Literal["yes", "no", "undecided"]
Told = Literal["confirmed", "reversed", "equivalent", "undecided"]
Pair = tuple[str, str]
RULE = (
    "Rule: of two rows one is *better* when they differ significantly (paired over clips and seeds), both are "
    "*equivalent* when the difference is significantly inside the margin (two one-sided tests), else the pair is "
    "*undecided*; p-values are Holm-corrected over all compared pairs and all columns of the table, 5 %."
)
COLUMN_RULE = (
    "A column says *no* when one pair that the paper orders is the other way round here, or a row that the paper ranks "
    "below its best one is equivalent to it; *yes* when it is not and the best row is better than every one below it; "
    "else *undecided*. The table says what all of its columns say, or *undecided*."
)


class ColumnVerdict(NamedTuple):
    """One column's answer.

    Attributes:
        answer: ``yes``, ``no`` or ``undecided``, by ``COLUMN_RULE``.
        best: The paper's best row.
        not_below: Rows that the paper ranks below it and that are better or equivalent here.
        confirmed: Pairs that the paper orders and of which the same row is better here.
        reversed: Pairs of which the other row is better here.
        equivalent: Pairs that are equivalent here.
        open: Pairs that are undecided here.
    """

    answer: Answer
    best: str
    not_below: tuple[str, ...]
    confirmed: int
    reversed: int
    equivalent: int
    open: int


def compare_pairs(
    differences: Mapping[str, Mapping[Pair, Difference]], directions: Mapping[str, Literal["higher", "lower"]]
) -> dict[str, dict[Pair, Outcome]]:
    """Return for each metric and pair what the first row is, seen from the second.

    Args:
        differences: Metric -> (row, row) -> measured difference.
        directions: Metric -> which way is better.
    """
    keys = [(name, pair) for name, gaps in differences.items() for pair in gaps]
    apart = _corrected({(name, pair): differences[name][pair].p_value for name, pair in keys})
    inside = _corrected(
        {key: equivalence_p(differences[key[0]][key[1]], MARGINS[key[0]]) for key in keys if key[0] in MARGINS}
    )
    found: dict[str, dict[Pair, Outcome]] = {name: {} for name in differences}
    for name, pair in keys:
        sign = 1.0 if directions[name] == "higher" else -1.0
        outcome: Outcome = "undecided"
        if inside.get((name, pair), 1.0) < ALPHA:
            outcome = "equivalent"
        elif apart.get((name, pair), 1.0) < ALPHA:
            outcome = "better" if sign * differences[name][pair].difference > 0 else "worse"
        found[name][pair] = outcome
    return found


def _corrected(p_values: Mapping[tuple[str, Pair], float | None]) -> dict[tuple[str, Pair], float]:
    known = {key: p for key, p in p_values.items() if p is not None}
    return dict(zip(known, ranking.holm(list(known.values())), strict=True))


def told_pairs(
    reported: Mapping[str, float], outcomes: Mapping[Pair, Outcome], better: Literal["higher", "lower"]
) -> dict[Pair, Told]:
    """Return, for every pair that the paper orders, its better row first, what is found here.

    Args:
        reported: Row -> the paper's value.
        outcomes: (row, row) -> outcome here, for every pair of rows in the order of ``reported``.
        better: Direction of the column, the same on both sides.
    """
    sign = 1.0 if better == "higher" else -1.0
    found: dict[Pair, Told] = {}
    for first, second in itertools.combinations(reported, 2):
        gap = sign * (reported[first] - reported[second])
        if gap == 0:
            continue
        claimed: Outcome = "better" if gap > 0 else "worse"
        outcome = outcomes[first, second]
        told: Told = (
            outcome if outcome in ("equivalent", "undecided") else "confirmed" if outcome == claimed else "reversed"
        )
        found[(first, second) if gap > 0 else (second, first)] = told
    return found


def judge_column(
    reported: Mapping[str, float], outcomes: Mapping[Pair, Outcome], better: Literal["higher", "lower"]
) -> ColumnVerdict:
    """Compare one column of a table with the paper's.

    Args:
        reported: Row -> the paper's value.
        outcomes: (row, row) -> outcome here, for every pair of rows in the order of ``reported``.
        better: Direction of the column, the same on both sides.
    """
    sign = 1.0 if better == "higher" else -1.0
    best = max(reported, key=lambda row: sign * reported[row])
    told = told_pairs(reported, outcomes, better)
    counts = {answer: list(told.values()).count(answer) for answer in get_args(Told)}
    below = {second: answer for (first, second), answer in told.items() if first == best}
    not_below = tuple(row for row, one in below.items() if one in ("reversed", "equivalent"))
    confirmed = bool(below) and all(one == "confirmed" for one in below.values())
    answer: Answer = "no" if not_below or counts["reversed"] else "yes" if confirmed else "undecided"
    return ColumnVerdict(answer, best, not_below, *counts.values())


def overall(verdicts: Sequence[ColumnVerdict]) -> Answer:
    """Return the answer for a table: what all of its columns say, else ``undecided``."""
    answers: set[Answer] = {verdict.answer for verdict in verdicts}
    return answers.pop() if len(answers) == 1 else "undecided"


def sentence(title: str, verdict: ColumnVerdict) -> str:
    """Return a column's verdict in a sentence.

    Example:
        >>> sentence("KLD", ColumnVerdict("undecided", "GDCF", (), 0, 0, 0, 1))
        'KLD: undecided; of 1 ordered pair 0 confirmed, 0 reversed, 0 equivalent, 1 undecided.'
    """
    n = verdict.confirmed + verdict.reversed + verdict.equivalent + verdict.open
    pairs = f"{n} ordered pair{'' if n == 1 else 's'}"
    rows = f" (not below {verdict.best} here: {', '.join(verdict.not_below)})" if verdict.not_below else ""
    if verdict.answer == "no" and not rows:
        rows = " (rows further down are the other way round)"
    counts = f"{verdict.confirmed} confirmed, {verdict.reversed} reversed, {verdict.equivalent} equivalent"
    return f"{title}: {verdict.answer}{rows}; of {pairs} {counts}, {verdict.open} undecided."
