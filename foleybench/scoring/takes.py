"""Combine several takes of a clip into the clip's statistics.

Intervals are over clips: a clip counts once with any number of takes. Metrics that average over clips first average
    over
the takes of each clip; distances between sets use the embeddings of all takes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foleybench.api.metric import Metric, Stat
from foleybench.artefacts.clip_table import ClipRow, ClipTable
from foleybench.artefacts.result import stats_of
from foleybench.stats import estimate


def joined_takes(rows: Sequence[ClipRow], metrics: Mapping[str, Metric]) -> ClipRow:
    """Return the row of a clip from the rows of its takes; those that were not scored are left out.

    Args:
        rows: Rows of one clip's takes, statistics still arrays.
        metrics: The metrics, by their names in the rows.
    """
    scored = [row for row in rows if row["stats"]]
    if len(scored) < 2:
        return (scored or rows)[0]
    hashes = "".join(row["audio_sha256"] for row in scored)
    stats: dict[str, Any] = {}
    for name, metric in metrics.items():
        found = [row["stats"][name] for row in scored if name in row["stats"]]
        if found:
            applicable = [stat for stat in found if stat is not None]
            stats[name] = _joined(metric, applicable) if applicable and metric.takes is not None else None
    return {**scored[0], "stats": stats, "audio_sha256": hashlib.sha256(hashes.encode()).hexdigest()}


def not_joined(metric: Metric) -> str:
    """Return why a metric has no value for several takes of a clip, "" when it has one."""
    return "" if metric.takes is not None else "not measured over several takes of a clip; score one take of each"


def _joined(metric: Metric, stats: Sequence[Stat]) -> Stat:
    """Average the statistics; for a metric of sets, stack the rows of the generated audio instead."""
    if len(stats) == 1:
        return stats[0]
    if not metric.takes:
        return {name: np.mean([stat[name] for stat in stats], axis=0) for name in stats[0]}
    rows = {name: np.concatenate([np.atleast_2d(stat[name]) for stat in stats]) for name in metric.takes}
    return {**stats[0], **rows}


def spread(name: str, metric: Metric, takes: Sequence[ClipTable]) -> dict[str, Any] | None:
    """Return the value of each take over all clips, and their standard deviation; None when a take has no value.

    Args:
        name: Name of the metric.
        metric: The metric.
        takes: One table per take, of the takes that every clip has.
    """
    values = [estimate.value_of(metric, stats_of(rows, name)) for rows in takes]
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return None
    return {"values": values, "sd": float(np.std(values, ddof=1))}
