"""A metric's record of a result, from the clip table."""

from __future__ import annotations

import math
from typing import Any

from foleybench.api.metric import Metric
from foleybench.artefacts.clip_table import ClipTable
from foleybench.artefacts.result import stats_of
from foleybench.stats import estimate
from foleybench.stats.intervals import LEVEL


def pooled(
    name: str, metric: Metric, rows: ClipTable, *, seed: int, resamples: int, part: str = "stats"
) -> dict[str, Any]:
    """Return a metric's record of a result, but for its code: value, interval, corrected and per-class values, counts.

    Args:
        name: Registry name of the metric.
        metric: The metric.
        rows: A row for every clip asked for.
        seed: Of the sign vectors of intervals.
        resamples: How many of them.
        part: Which statistics of the rows (``clip_table.PARTS``).
    """
    found = stats_of(rows, name, part)
    made = estimate.estimate(
        name,
        metric,
        found,
        {row["clip_id"]: row["source_id"] for row in rows},
        {row["clip_id"]: row["label"] for row in rows},
        seed=seed,
        resamples=resamples,
    )
    low, high = made.interval or (None, None)
    return {
        "version": metric.version,
        "value": _or_null(made.value),
        "low": low,
        "high": high,
        "level": LEVEL,
        "method": estimate.METHOD,
        "notes": list(made.notes),
        "corrected": _or_null(made.corrected),
        "n_used": made.n,
        "n_asked": len(rows),
        "not_applicable": sum(name in row.get(part, {}) and row[part][name] is None for row in rows),
        "unit": metric.unit,
        "better": metric.better,
        "reason": made.reason or None,
        "per_class": {label: {"value": _or_null(one.value), "n": one.n} for label, one in made.per_class.items()},
    }


def _or_null(value: float) -> float | None:
    return value if math.isfinite(value) else None
