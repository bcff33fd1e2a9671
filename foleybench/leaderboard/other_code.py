"""Say which values were made by other code than today's.

Such values are not wrong: they still agree with their clip tables.

A result holds, for each metric, the hash of all code that decides its value (``runtime.source_code``). Metrics that are
not installed here, or have another version now (those values are stale, and the tables say so), are passed over.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.artefacts.entries import ResultEntry
from foleybench.scoring import choice

TodaysCode = Callable[[str, str | None], str]
# A line of a terminal holds about as many names.
MOST_NAMED = 3


def made_by_other_code(entries: Sequence[ResultEntry]) -> list[str]:
    """Return a line for each metric whose code has changed since, with the rows; one more for results without hashes.

    Metrics that have changed for the same rows share a line. A line counts its rows and names the first few.

    Args:
        entries: The results; each metric's ``code_sha256`` is compared with today's.
    """
    todays: TodaysCode = functools.cache(choice.metric_code_sha256)
    rows_of: dict[str, list[str]] = {}
    n_silent = 0
    for entry in entries:
        metrics = entry.result["metrics"]
        n_silent += not any("code_sha256" in record for record in metrics.values())
        for name, record in metrics.items():
            if _changed(entry, name, record, todays):
                rows_of.setdefault(name, []).append(entry.name.removesuffix(".json"))
    together: dict[tuple[str, ...], list[str]] = {}
    for name, rows in sorted(rows_of.items()):
        together.setdefault(tuple(rows), []).append(name)
    lines = [f"made by other code than today's: {', '.join(names)} of {_few(rows)}" for rows, names in together.items()]
    if n_silent:
        lines.append(f"{n_silent} of {len(entries)} results are older than these hashes and do not say what made them")
    return lines


def _few(rows: Sequence[str]) -> str:
    """Return how many rows there are, and the first ones."""
    more = f" and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    return f"{len(rows)} {'row' if len(rows) == 1 else 'rows'} ({', '.join(rows[:MOST_NAMED])}{more})"


def _changed(entry: ResultEntry, name: str, record: Mapping[str, Any], todays: TodaysCode) -> bool:
    if "code_sha256" not in record or name not in registry.names("metrics"):
        return False
    metric: Metric = registry.load("metrics", name)
    protocol = str(entry.result["protocol"]["name"])
    alone = protocol.startswith(choice.ALONE)
    if metric.version != record["version"] or not (alone or protocol in registry.names("protocols")):
        return False
    return bool(record["code_sha256"] != todays(name, None if alone else protocol))
