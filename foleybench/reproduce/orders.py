"""Say pair by pair which of the paper's orders hold here."""

from __future__ import annotations

from collections.abc import Mapping

from foleybench.reproduce.verdict import Outcome, Pair, Told

_TITLES: dict[Told, str] = {
    "confirmed": "Holds here",
    "reversed": "The other way round here",
    "equivalent": "Equivalent here",
    "undecided": "Cannot be said",
}


def orders_text(column: str, told: Mapping[Pair, Told]) -> str:
    """Return one column's pairs as a list in words, grouped by what was found and by the row that the paper puts above.

    Example:
        >>> print(orders_text("KLD", {("A", "B"): "confirmed", ("A", "C"): "confirmed", ("B", "C"): "undecided"}))
        **KLD**
        <BLANKLINE>
        - Holds here: A above B, C.
        - Cannot be said: B above C.
    """
    lines = []
    for answer, title in _TITLES.items():
        above: dict[str, list[str]] = {}
        for (first, second), one in told.items():
            if one == answer:
                above.setdefault(first, []).append(second)
        if above:
            texts = [f"{row} above {', '.join(rows)}" for row, rows in above.items()]
            lines.append(f"- {title}: {'; '.join(texts)}.")
    return "\n".join([f"**{column}**", "", *lines])


def outcomes_text(column: str, outcomes: Mapping[Pair, Outcome]) -> str:
    """Return one column's pairs as a list in words, for rows that the paper does not order.

    Example:
        >>> print(outcomes_text("Event F1", {("A", "B"): "worse", ("A", "C"): "equivalent", ("B", "C"): "undecided"}))
        **Event F1**: better: B than A; equivalent: A and C; undecided: B and C.
    """
    better = [(second, first) if one == "worse" else (first, second) for (first, second), one in outcomes.items()]
    found = dict(zip(better, outcomes.values(), strict=True))
    groups = {
        "better": [f"{first} than {second}" for (first, second), one in found.items() if one in ("better", "worse")],
        "equivalent": [f"{first} and {second}" for (first, second), one in found.items() if one == "equivalent"],
        "undecided": [f"{first} and {second}" for (first, second), one in found.items() if one == "undecided"],
    }
    texts = [f"{name}: {', '.join(pairs)}" for name, pairs in groups.items() if pairs]
    return f"**{column}**: {'; '.join(texts)}."
