"""How well each metric agrees with people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.artefacts.entries import ResultEntry
from foleybench.people.summary import Study, rate_record
from foleybench.people.votes import Vote
from foleybench.stats.crossed import Crossing
from foleybench.stats.rank_correlation import LEAST_SYSTEMS, rank_correlation


def agreement_table(
    people: Mapping[str, Any], votes: Sequence[Vote], study: Study, entries: Sequence[ResultEntry], aside: set[str]
) -> list[dict[str, Any]]:
    """Return one record a metric and protocol, the best agreement first.

    Args:
        people: What ``summarise`` found.
        votes: The votes that it was made of.
        study: What they are about.
        entries: Results; those of other test sets are not looked at.
        aside: Systems that do not count: the hidden reference is what metrics compare with.
    """
    compared = set(people["systems"]) - aside
    groups: dict[tuple[str, str], list[ResultEntry]] = {}
    for entry in entries:
        if entry.row_name in compared and _is_about(entry, study):
            groups.setdefault((entry.board_key[2], entry.board_key[4]), []).append(entry)
    found = [
        _record(name, group, people, votes, study)
        for group in groups.values()
        for name in sorted({name for entry in group for name in entry.result["metrics"]})
    ]
    return sorted(found, key=_order)


def _is_about(entry: ResultEntry, study: Study) -> bool:
    dataset = study.dataset
    if dataset is None:
        return True
    return (
        entry.board_key[:2] == (dataset["name"], dataset["split"]) and entry.board_key[3] == dataset["manifest_sha256"]
    )


def _record(
    name: str, group: Sequence[ResultEntry], people: Mapping[str, Any], votes: Sequence[Vote], study: Study
) -> dict[str, Any]:
    """Compare one metric, of its newest version among the results, with people."""
    having = [entry for entry in group if name in entry.result["metrics"]]
    version = max(int(entry.result["metrics"][name]["version"]) for entry in having)
    alike = [entry for entry in having if entry.result["metrics"][name]["version"] == version]
    better = alike[0].result["metrics"][name]["better"]
    sign = 1.0 if better == "higher" else -1.0
    values = {entry.row_name: entry.result["metrics"][name]["value"] for entry in alike}
    known = sorted(system for system, value in values.items() if value is not None)
    ours = [sign * values[system] for system in known]
    found = rank_correlation(ours, [people["systems"][system]["score"]["value"] for system in known])
    low, high = found.interval or (None, None)
    hits, chosen = _clip_by_clip(name, alike, votes, sign)
    videos = [study.sources.get(vote.clip_id, vote.clip_id) for vote in chosen]
    agrees = rate_record(hits, Crossing.of([vote.rater for vote in chosen], videos)) if chosen else _NOTHING
    return {
        "metric": name,
        "version": version,
        "protocol": alike[0].board_key[2],
        "subset": str((alike[0].result["dataset"].get("subset") or {}).get("name", "")),
        "better": better,
        "n_systems": found.n,
        "spearman": {"value": _known(found.spearman), "low": low, "high": high},
        "kendall": _known(found.kendall),
        "reason": _reason(found.n, found.spearman),
        "agrees": agrees,
        "n_votes": len(chosen),
    }


_NOTHING: Mapping[str, float | None] = {"value": None, "low": None, "high": None}


def _reason(n: int, spearman: float) -> str:
    if math.isfinite(spearman):
        return ""
    few = f"cannot be said: {n} system{'' if n == 1 else 's'} with votes and a value, {LEAST_SYSTEMS} are needed"
    return few if n < LEAST_SYSTEMS else "cannot be said: all systems have the same value"


def _clip_by_clip(
    name: str, entries: Sequence[ResultEntry], votes: Sequence[Vote], sign: float
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], list[Vote]]:
    """Return, of the votes that prefer one of two systems with values of that clip, whether the metric does too."""
    metric: Metric | None = registry.load("metrics", name) if name in registry.names("metrics") else None
    read = metric.clip_value if metric else None
    if read is None:
        return np.zeros(0), []
    values = {
        entry.row_name: {clip_id: read(stat) for clip_id, stat in entry.stats(name).items()}
        for entry in entries
        if not entry.lacks(name)
    }
    hits, chosen = [], []
    for vote in votes:
        pair = [values.get(system, {}).get(vote.clip_id, math.nan) for system in (vote.first, vote.second)]
        if vote.hits != 0.5 and all(map(math.isfinite, pair)):
            gap = sign * (pair[0] - pair[1])
            hits.append(0.5 if gap == 0 else float((gap > 0) == (vote.hits == 1.0)))
            chosen.append(vote)
    return np.array(hits), chosen


def _order(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Sort by agreement over systems, then clip by clip; what cannot be said comes last."""
    keys = [record["spearman"]["value"], record["agrees"]["value"]]
    return (*((value is None, -(value or 0.0)) for value in keys), record["metric"], record["protocol"])


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
