"""Recompute every value from its clip table; refuse results that disagree.

A result's file name fits its content, but whoever edits a value can rename the file too. The statistics of the clips
and the metric's ``pool`` give value, corrected value, values by class and counts, and all must agree; an interval must
only lie in the metric's range, since its method may have changed. Not recomputed are metrics of another version than
today's (stale, not ranked) and, with a note (``not_recomputed``), metrics that are not installed here and statistics
too large for the repository. Corrected values of another method than today's (``estimate.METHOD`` in the record) are
not compared where videos have several clips: only the correction changed, not the value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from foleybench import registry
from foleybench.api.metric import Metric, Pool, Stat
from foleybench.artefacts.entries import ResultEntry
from foleybench.errors import ResultError
from foleybench.stats import estimate

# Sums in another order and another BLAS differ by far less than a reader sees.
_RELATIVE = 1e-6
_ABSOLUTE = 1e-9


def require_recomputed(entries: Sequence[ResultEntry]) -> None:
    """Check all results; name every one that disagrees with its clip table.

    Raises:
        ResultError: A value disagrees; file, metric and both values are named.
    """
    problems = [f"{entry.path}: {problem}" for entry in entries for problem in disagreements(entry)]
    if problems:
        advice = "The result was edited or damaged; run `foleybench eval` again."
        raise ResultError("\n".join([*problems, advice]))


def disagreements(entry: ResultEntry) -> list[str]:
    """Return sentences on values of a result that disagree with its clip table."""
    found = _of_counts(entry)
    for name, record in sorted(entry.result["metrics"].items()):
        metric = _todays(name, record)
        if metric is None or entry.lacks(name):
            continue
        try:
            found += _of_metric(name, metric, record, entry)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # The statistics are numbers, but not those of this metric.
            found.append(f"{name} cannot be made from its statistics in the clip table ({error!r}).")
    return found


def not_recomputed(entries: Sequence[ResultEntry]) -> list[str]:
    """Return sentences on values that cannot be recomputed here, and why."""
    found = []
    for entry in entries:
        for name in sorted(entry.result["metrics"]):
            if name not in registry.names("metrics"):
                found.append(f"{entry.path}: {name} was not recomputed: this metric is not installed.")
            elif entry.lacks(name):
                found.append(f"{entry.path}: {name} was not recomputed: the file with its large statistics is missing.")
    return found


def _of_counts(entry: ResultEntry) -> list[str]:
    """Compare the result's number of clips with the lines of its clip table."""
    dataset, rows = entry.result["dataset"], entry.rows
    scored = sum(bool(row["stats"]) for row in rows)
    said = dataset.get("n_scored", scored)
    found = [] if said == scored else [f"the result counts {said} clips scored, the clip table has {scored}."]
    fits = len(rows) == dataset["n_clips"] if entry.result["status"] == "complete" else len(rows) <= dataset["n_clips"]
    if not fits:
        found.append(
            f"the result is {entry.result['status']} with {dataset['n_clips']} clips, the clip table has {len(rows)}."
        )
    return found


def _todays(name: str, record: Mapping[str, Any]) -> Metric | None:
    """Return the metric that made a record, or None when it is not installed here or has another version now."""
    if name not in registry.names("metrics"):
        return None
    metric: Metric = registry.load("metrics", name)
    return metric if metric.version == record["version"] else None


def _of_metric(name: str, metric: Metric, record: Mapping[str, Any], entry: ResultEntry) -> list[str]:
    stats = entry.stats(name)
    found = _of_clips(name, record, entry)
    if len(stats) != record["n_used"]:
        return [*found, f"{name} counts {record['n_used']} clips, the clip table has {len(stats)} with its statistics."]
    said, gives = {"": record["value"]}, {"": _pooled(metric, metric.pool, list(stats.values()))}
    if _same_correction(metric, record, stats, entry.sources):
        what = "corrected, "
        said[what], gives[what] = record["corrected"], estimate.corrected_of(metric, stats, entry.sources)
    for label, part in record["per_class"].items():
        chosen = [stats[r["clip_id"]] for r in entry.rows if r["label"] == label and r["clip_id"] in stats]
        if part["n"] != len(chosen):
            found.append(f"{name} counts {part['n']} clips of {label!r}, the clip table has {len(chosen)}.")
        said[f"of {label!r} "], gives[f"of {label!r} "] = part["value"], _pooled(metric, metric.pool, chosen)
    if "matched" in record:
        against = "with matched bandwidth "
        said[against], gives[against] = record["matched"]["value"], _matched(name, metric, record, entry)
    for what, value in gives.items():
        if not _agree(said[what], value):
            found.append(f"{name} {what}is {_shown(said[what])}, its clip table gives {_shown(value)}.")
    _use(metric, list(stats.values()))
    return found + _of_interval(name, metric, record)


def _matched(name: str, metric: Metric, record: Mapping[str, Any], entry: ResultEntry) -> float:
    """Return the value against real sound of the system's band; the plain one where the band has no end."""
    if entry.result["run"].get("matched_band", {}).get("hz") is None:
        return math.nan if record["value"] is None else float(record["value"])
    return _pooled(metric, metric.pool, list(entry.stats(name, "matched").values()))


def _of_clips(name: str, record: Mapping[str, Any], entry: ResultEntry) -> list[str]:
    not_applicable = sum(name in row["stats"] and row["stats"][name] is None for row in entry.rows)
    found = []
    if record["n_asked"] != len(entry.rows):
        found.append(f"{name} counts {record['n_asked']} clips asked for, the clip table has {len(entry.rows)}.")
    if record["not_applicable"] != not_applicable:
        found.append(
            f"{name} does not apply to {record['not_applicable']} clips, in the clip table to {not_applicable}."
        )
    return found


def _same_correction(
    metric: Metric, record: Mapping[str, Any], stats: Mapping[str, Stat], sources: Mapping[str, str]
) -> bool:
    """Whether today's method must give the recorded corrected value: with one clip a video both methods agree."""
    made_today = metric.corrected is None or record.get("method", 1) == estimate.METHOD
    return made_today or len({sources[clip_id] for clip_id in stats}) == len(stats)


def _use(metric: Metric, stats: Sequence[Stat]) -> None:
    """Compute what tables and plots need, which raises for statistics of another metric."""
    if metric.curve:
        metric.curve(stats)
    if metric.clip_value:
        _ = [metric.clip_value(stat) for stat in stats]


def _pooled(metric: Metric, pool: Pool, stats: Sequence[Stat]) -> float:
    return pool(stats) if len(stats) >= max(1, metric.minimum_clips) else math.nan


def _of_interval(name: str, metric: Metric, record: Mapping[str, Any]) -> list[str]:
    found = []
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
