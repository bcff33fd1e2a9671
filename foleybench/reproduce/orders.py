"""Say pair by pair which of two rows is better here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from foleybench.reproduce.cells import markdown_table
from foleybench.reproduce.verdict import Outcome, Pair, Told

_MARKS: dict[Told, str] = {"confirmed": "✓", "reversed": "✗", "equivalent": "=", "undecided": "?"}
LEGEND = (
    "The paper puts a line's row above the numbered row of the column. ✓: better here, too; ✗: the column's row is "
    "better here; =: equivalent here; ?: cannot be said; blank: the pair stands in the other row's line, or the paper "
    "does not order it."
)

DIRECTION = "*better*: the row on the left is better than the one that it is against; *worse*: the other way round."


def orders_table(column: str, told: Mapping[Pair, Told]) -> str:
    """Return one column's pairs as a table: the paper's better row on the left, the other above, numbered.

    Example:
        >>> print(orders_table("KLD", {("A", "B"): "confirmed", ("A", "C"): "confirmed", ("B", "C"): "undecided"}))
        | KLD | 2 | 3 |
        | --- | ---: | ---: |
        | 1. A | ✓ | ✓ |
        | 2. B |  | ? |
        | 3. C |  |  |
    """
    above = Counter(first for first, _ in told)
    labels = sorted(dict.fromkeys(label for pair in told for label in pair), key=lambda label: -above[label])
    rows = [[column, *(str(number) for number in range(2, len(labels) + 1))]]
    for number, first in enumerate(labels, start=1):
        marks = [_MARKS[told[first, second]] if (first, second) in told else "" for second in labels[1:]]
        rows.append([f"{number}. {first}", *marks])
    return markdown_table(rows)


def outcomes_table(outcomes: Mapping[str, Mapping[Pair, Outcome]]) -> str:
    """Return what every column says of every pair of rows that the paper does not order, seen from the first.

    Args:
        outcomes: Heading of a column -> pair -> what its first row is against its second.

    Example:
        >>> print(outcomes_table({"KLD": {("A", "B"): "worse"}, "FAD": {("A", "B"): "undecided"}}))
        | Row | Against | KLD | FAD |
        | --- | ---: | ---: | ---: |
        | A | B | worse | undecided |
    """
    pairs = dict.fromkeys(pair for found in outcomes.values() for pair in found)
    rows = [["Row", "Against", *outcomes]]
    rows += [[*pair, *(found.get(pair, "") for found in outcomes.values())] for pair in pairs]
    return markdown_table(rows)
