"""Recompute every value from its clip table; refuse results that disagree.

A result's file name fits its content, but whoever edits a value can rename the file too. The statistics of the clips
and the metric's ``pool`` say what the value must be. Skipped are metrics of another version than today's (they are
stale and not ranked), metrics that are not installed here, and statistics too large for the repository.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from foleybench import registry
from foleybench.api.metric import Metric, Stat
from foleybench.artefacts.entries import Entry
from foleybench.errors import ResultError

# Sums in another order, and another BLAS for the distances: far below what a reader sees.
_RELATIVE = 1e-6
_ABSOLUTE = 1e-9


def require_recomputed(entries: Sequence[Entry]) -> None:
    """Check all results; every one that disagrees with its clip table is named, not just the first.

    Raises:
        ResultError: Names file, metric, the value as recorded and as the clip table gives it.
    """
    problems = [f"{entry.path}: {problem}" for entry in entries for problem in disagreements(entry)]
    if problems:
        advice = "The result was edited or damaged; run `foleybench eval` again."
        raise ResultError("\n".join([*problems, advice]))


def disagreements(entry: Entry) -> list[str]:
    """Return what in a result its clip table does not bear out, in words; nothing when all agree."""
    n_rows = len(entry.rows)
    found = []
    for name, record in sorted(entry.result["metrics"].items()):
        if record["n_asked"] != n_rows:
            found.append(f"{name} counts {record['n_asked']} clips asked for, the clip table has {n_rows}.")
        metric = _todays(name, record)
        if metric is not None and not entry.lacks(name):
            found += _of_metric(name, metric, record, entry.stats(name))
    return found


def _todays(name: str, record: Mapping[str, Any]) -> Metric | None:
    """Return the metric that made a record, or None when it is not installed here or has another version now."""
    if name not in registry.names("metrics"):
        return None
    metric: Metric = registry.load("metrics", name)
    return metric if metric.version == record["version"] else None


def _of_metric(name: str, metric: Metric, record: Mapping[str, Any], stats: Mapping[str, Stat]) -> list[str]:
    if len(stats) != record["n_used"]:
        return [f"{name} counts {record['n_used']} clips, the clip table has {len(stats)} with its statistics."]
    enough = len(stats) >= metric.minimum_clips
    value = metric.pool(list(stats.values())) if enough else float("nan")
    found = []
    if not _agree(record["value"], value):
        found.append(f"{name} is {_shown(record['value'])}, its clip table gives {_shown(value)}.")
    low, high = metric.range
    for key in ("low", "high"):
        end = record[key]
        if end is not None and not (_below(low, end) and _below(end, high)):
            found.append(f"{name} has {key} end {end:g}, outside its range from {low} to {high}.")
    return found


def _below(low: float | None, high: float | None) -> bool:
    return low is None or high is None or low <= high or math.isclose(low, high, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)


def _agree(recorded: float | None, value: float) -> bool:
    if recorded is None or not math.isfinite(value):
        return recorded is None and not math.isfinite(value)
    return math.isclose(recorded, value, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)


def _shown(value: float | None) -> str:
    return "undefined" if value is None or not math.isfinite(value) else f"{value:.9g}"
