"""A metric's value from the statistics of clips, with its interval.

The only place that makes one: results, training loops, tables over seeds and comparisons all call it, so that the
same statistics give the same numbers everywhere. Clips come as plain mappings: clip id -> statistics, clip id ->
source video, clip id -> label.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from foleybench.api.metric import Metric, Stat
from foleybench.stats import bootstrap
from foleybench.stats.bootstrap import Interval, Paired


class ClassValue(NamedTuple):
    """A metric's value over the clips of one class.

    Attributes:
        value: NaN when undefined.
        n: Number of clips that the metric applies to.
    """

    value: float
    n: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a set of clips says of a metric.

    Attributes:
        value: NaN when undefined.
        interval: The 95 % interval over source videos, within the metric's bounds; None when it cannot be told.
        corrected: The value corrected for the number of clips; NaN when the metric has none.
        n: Number of clips that the metric applies to.
        reason: Why the value is undefined, "" when it is not.
        per_class: Label -> value, for every label of the clips asked for.
    """

    value: float
    interval: Interval | None
    corrected: float
    n: int
    reason: str
    per_class: Mapping[str, ClassValue]


def estimate(
    name: str,
    metric: Metric,
    found: Mapping[str, Stat],
    sources: Mapping[str, str],
    labels: Mapping[str, str],
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> Estimate:
    """Return value, interval, corrected value and values by class.

    Args:
        name: Registry name of the metric; every metric draws resamples of its own.
        metric: The metric.
        found: Clip id -> statistics, of the clips that the metric applies to.
        sources: Clip id -> source video, for at least those clips.
        labels: Clip id -> label, of every clip asked for.
        seed: Of the resamples.
        resamples: How many.
    """
    value = value_of(metric, found)
    defined = math.isfinite(value)
    corrected = metric.corrected(list(found.values())) if defined and metric.corrected else math.nan
    return Estimate(
        value=value,
        interval=interval_of(name, metric, found, sources, seed=seed, resamples=resamples) if defined else None,
        corrected=corrected,
        n=len(found),
        reason="" if defined else _reason(metric, len(found)),
        per_class=dict(_per_class(metric, found, labels)),
    )


def value_of(metric: Metric, found: Mapping[str, Stat]) -> float:
    """Return the value of a set of clips; NaN when undefined or when they are fewer than the metric asks for."""
    return metric.pool(list(found.values())) if len(found) >= metric.minimum_clips else math.nan


def interval_of(
    name: str,
    metric: Metric,
    found: Mapping[str, Stat],
    sources: Mapping[str, str],
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> Interval | None:
    """Return the 95 % interval of a value over source videos, or None when it cannot be told.

    Args:
        name: Registry name of the metric.
        metric: The metric.
        found: Clip id -> statistics.
        sources: Clip id -> source video.
        seed: Of the resamples.
        resamples: How many.
    """
    value = value_of(metric, found)
    if not math.isfinite(value):
        return None
    rng, biased = rng_of(seed, name), metric.corrected is not None
    interval = bootstrap.bootstrap(metric.pool, found, sources, rng=rng, resamples=resamples, centre=biased)
    return None if interval is None else within_bounds(interval, value, metric)


def paired(
    metric: Metric,
    a: Mapping[str, Stat],
    b: Mapping[str, Stat],
    sources: Mapping[str, str],
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
) -> Paired:
    """Compare two systems on the clips that both have.

    Args:
        metric: The metric.
        a: Clip id -> statistics of the first system.
        b: The same of the second.
        sources: Clip id -> source video, for at least the common clips.
        rng: The only source of randomness.
        resamples: How many.
    """
    common = a.keys() & b.keys()
    if len(common) < metric.minimum_clips:
        return Paired(math.nan, None, None, None, len(common), math.nan, math.nan)
    biased = metric.corrected is not None
    return bootstrap.paired_test(metric.pool, a, b, sources, rng=rng, resamples=resamples, centre=biased)


def within_bounds(interval: Interval, value: float, metric: Metric) -> Interval:
    """Cut an interval at the metric's ideal and worst value, where it has them; it always holds its own value.

    Args:
        interval: Its ends may lie beyond the bounds: centred bootstrap intervals and Student's do not know them.
        value: What it is about.
        metric: Whose bounds.
    """
    floor, ceiling = (metric.ideal, metric.worst) if metric.better == "lower" else (metric.worst, metric.ideal)
    low = interval.low if floor is None else max(interval.low, floor)
    high = interval.high if ceiling is None else min(interval.high, ceiling)
    return Interval(min(value, low), max(value, high))


def rng_of(seed: int, name: str) -> np.random.Generator:
    """Return the generator that a metric's resamples come from."""
    return np.random.default_rng([seed, int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)])


def _reason(metric: Metric, n: int) -> str:
    if n and n < metric.minimum_clips:
        return f"{n} applicable clips, at least {metric.minimum_clips} are needed"
    return metric.undefined


def _per_class(
    metric: Metric, found: Mapping[str, Stat], labels: Mapping[str, str]
) -> Iterator[tuple[str, ClassValue]]:
    members: dict[str, dict[str, Stat]] = {label: {} for label in sorted(set(labels.values()))}
    for clip_id, stat in found.items():
        members[labels[clip_id]][clip_id] = stat
    for label, chosen in members.items():
        yield label, ClassValue(value_of(metric, chosen) if chosen else math.nan, len(chosen))
