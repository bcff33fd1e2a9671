"""Estimate a metric's value and interval from the statistics of clips.

This is the only place that makes a value: results, training loops, tables over seeds and comparisons all call it, so
that the same statistics give the same numbers everywhere. Clips come as plain mappings: clip id -> statistics, clip id
-> source video, clip id -> label.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from foleybench.api.metric import Metric, Stat
from foleybench.stats import intervals
from foleybench.stats.influence import Influence, of_videos, source_groups
from foleybench.stats.intervals import FEW_VIDEOS, LEAST_VIDEOS, LEVEL, Deviations, Interval, Paired
from foleybench.stats.pools import MeanOf, Ratio
from foleybench.stats.rates import rate_interval

# Number of the method of intervals and corrected values, which results record (absent: 1, bootstrap percentiles and
# halves of clips). Values themselves do not depend on the method.
METHOD = 2
# A clip that holds more than this share of a pooled value is named.
LARGE_SHARE = 0.2
# With at most this many clips, each may hold a fifth.
_EACH_IS_LARGE = 5


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
    """A metric's value over a set of clips.

    Attributes:
        value: NaN when undefined.
        interval: The 95 % interval over source videos, within the metric's bounds; None when there is none.
        corrected: The value corrected for the number of clips; NaN when the metric has none.
        n: Number of clips that the metric applies to.
        notes: Caveats about the value and its interval: few videos, one clip that holds much of the value.
        reason: Why the value is undefined, "" when it is not.
        per_class: Label -> value, for every label of the clips asked for.
    """

    value: float
    interval: Interval | None
    corrected: float
    n: int
    notes: tuple[str, ...]
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
        name: Registry name of the metric; every metric draws sign vectors of its own.
        metric: The metric.
        found: Clip id -> statistics, of the clips that the metric applies to.
        sources: Clip id -> source video, for at least those clips.
        labels: Clip id -> label, of every clip asked for.
        seed: Seed of the sign vectors.
        resamples: Number of sign vectors.
    """
    value = value_of(metric, found)
    defined = math.isfinite(value)
    return Estimate(
        value=value,
        interval=interval_of(name, metric, found, sources, value=value, seed=seed, resamples=resamples),
        corrected=corrected_of(metric, found, sources) if defined else math.nan,
        n=len(found),
        notes=notes_of(metric, found, sources) if defined else (),
        reason="" if defined else _reason(metric, len(found)),
        per_class=dict(_per_class(metric, found, labels, value)),
    )


def value_of(metric: Metric, found: Mapping[str, Stat]) -> float:
    """Return the value of a set of clips; NaN when undefined or when they are fewer than the metric asks for."""
    return metric.pool(list(found.values())) if len(found) >= metric.minimum_clips else math.nan


def corrected_of(metric: Metric, found: Mapping[str, Stat], sources: Mapping[str, str]) -> float:
    """Return the value corrected for the number of clips; NaN when the metric has none, or when it is undefined."""
    if metric.corrected is None or len(found) < metric.minimum_clips:
        return math.nan
    return metric.corrected(list(found.values()), [sources[clip_id] for clip_id in found])


def interval_of(
    name: str,
    metric: Metric,
    found: Mapping[str, Stat],
    sources: Mapping[str, str],
    *,
    value: float | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> Interval | None:
    """Return the 95 % interval of a value over source videos, or None when it cannot be told.

    Args:
        name: Registry name of the metric.
        metric: The metric.
        found: Clip id -> statistics.
        sources: Clip id -> source video.
        value: The value, from those who have it: some metrics take long to compute it.
        seed: Seed of the sign vectors.
        resamples: Number of sign vectors.
    """
    value = value_of(metric, found) if value is None else value
    if not math.isfinite(value):
        return None
    ids = sorted(found)
    ordered = [found[clip_id] for clip_id in ids]
    groups = source_groups(ids, sources)
    influence = of_videos(metric.pool, ordered, groups) if len(groups) >= LEAST_VIDEOS else None
    deviations = Deviations.of(influence, abs(value), rng=rng_of(seed, name), draws=resamples) if influence else None
    if influence is None or deviations is None:
        return None
    is_rate = _trials(metric, ordered) is not None
    interval = (deviations.without_skewness() if is_rate else deviations).around(value, LEVEL)
    return None if interval is None else told_interval(metric, value, influence, ordered, interval)


def told_interval(
    metric: Metric, value: float, influence: Influence, stats: Sequence[Stat], interval: Interval
) -> Interval | None:
    """Return an interval as it is told: for a rate wide enough to include the exact one, within the metric's bounds.

    Args:
        metric: The metric.
        value: The value.
        influence: Influence of the videos on it.
        stats: Statistics of its clips.
        interval: From the spread of the clips alone.

    Returns:
        None where clips show no spread and the value is no rate: a few equal values would seem certain.
    """
    trials = _trials(metric, stats)
    if trials is not None:
        told = _of_rate(metric, value, influence, trials, interval)
        return None if told is None else within_bounds(told, value, metric)
    return None if interval.low == interval.high else within_bounds(interval, value, metric)


def notes_of(metric: Metric, found: Mapping[str, Stat], sources: Mapping[str, str]) -> tuple[str, ...]:
    """Return the caveats about a value and its interval, as sentences."""
    few = note_on_videos(len({sources[clip_id] for clip_id in found}))
    told = (
        few,
        _few_rows(metric, found),
        note_on_equal_values(metric, list(found.values())),
        _large_share(metric, found),
    )
    return tuple(note for note in told if note)


def _few_rows(metric: Metric, found: Mapping[str, Stat]) -> str:
    """Say that a distance between sets is mostly chance with so few embeddings; "" when they are enough."""
    n_rows = sum(len(stat["generated"]) for stat in found.values()) if metric.few_rows else 0
    if n_rows >= metric.few_rows:
        return ""
    advice = "read the kernel distance (KAD) instead"
    return f"warning: {n_rows} embeddings, mostly chance below {metric.few_rows}; {advice}"


def note_on_videos(n: int) -> str:
    """Return the caveat about an interval from few source videos, "" when they are enough.

    The share is the lowest of ``benchmarks/coverage.py`` over the kinds of values that it simulates.
    """
    if n < LEAST_VIDEOS:
        return f"no 95 % interval: {n} source video{'' if n == 1 else 's'}, at least {LEAST_VIDEOS} are needed"
    if n < FEW_VIDEOS:
        return f"approximate interval from {n} source videos: 93 % or more of such intervals hold the true value"
    return ""


def note_on_equal_values(metric: Metric, found: Sequence[Stat]) -> str:
    """Return why a mean of equal values has no interval; "" for any other value."""
    if metric.clip_value is None or _trials(metric, found) is not None:
        return ""
    values = {metric.clip_value(stat) for stat in found}
    return "no 95 % interval: all clips have the same value" if len(values) == 1 and len(found) > 1 else ""


def _large_share(metric: Metric, found: Mapping[str, Stat]) -> str:
    """Name the clip that holds more than a fifth of a pooled value; "" when none does.

    In a ratio of sums, a clip's share is that in the denominator; in a mean without a worst value, that in the sum,
    which one outlier can decide.
    """
    if not isinstance(metric.pool, Ratio) or len(found) <= _EACH_IS_LARGE:
        return ""
    ids = sorted(found)
    above, below = metric.pool.columns([found[clip_id] for clip_id in ids])
    shares = below / below.sum()
    if None in metric.range and np.abs(above).sum() > 0:
        shares = np.maximum(shares, np.abs(above) / np.abs(above).sum())
    most = int(np.argmax(shares))
    return f"clip {ids[most]} holds {100 * shares[most]:.0f} % of the value" if shares[most] > LARGE_SHARE else ""


def _trials(metric: Metric, stats: Sequence[Stat]) -> float | None:
    """Return the number of trials of a rate; None for any other value."""
    if not isinstance(metric.pool, Ratio) or not metric.pool.counts or span_of(metric) is None:
        return None
    return float(metric.pool.columns(stats)[1].sum())


def _of_rate(metric: Metric, value: float, influence: Influence, trials: float, interval: Interval) -> Interval | None:
    """Widen the interval of a rate to include the exact one."""
    span, floor = span_of(metric), metric.range[0]
    if span is None or floor is None:
        return None
    scaled = Influence(influence.change / span, influence.weights)
    low, high = rate_interval((value - floor) / span, scaled, trials, LEVEL)
    return Interval(min(interval.low, floor + span * low), max(interval.high, floor + span * high))


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
        resamples: Number of sign vectors.
    """
    common = a.keys() & b.keys()
    if len(common) < metric.minimum_clips:
        return Paired(math.nan, None, None, None, len(common), math.nan, math.nan)
    return intervals.paired_test(metric.pool, a, b, sources, rng=rng, draws=resamples, span=span_of(metric))


def within_bounds(interval: Interval, value: float, metric: Metric) -> Interval:
    """Cut an interval at the lowest and highest value that the metric can have; it always holds its own value.

    Args:
        interval: The interval; its ends may lie beyond the bounds.
        value: The value.
        metric: The metric with the bounds.
    """
    floor, ceiling = metric.range
    low = interval.low if floor is None else max(interval.low, floor)
    high = interval.high if ceiling is None else min(interval.high, ceiling)
    return Interval(min(value, low), max(value, high))


def span_of(metric: Metric) -> float | None:
    """Return the width of the range of a metric that is a mean of bounded values, None for all others."""
    low, high = metric.range
    if low is None or high is None or not isinstance(metric.pool, (Ratio, MeanOf)):
        return None
    return high - low


def rng_of(seed: int, name: str) -> np.random.Generator:
    """Return the random generator of a metric's sign vectors."""
    return np.random.default_rng([seed, int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)])


def _reason(metric: Metric, n: int) -> str:
    if n and n < metric.minimum_clips:
        return f"{n} applicable clips, at least {metric.minimum_clips} are needed"
    return metric.undefined


def _per_class(
    metric: Metric, found: Mapping[str, Stat], labels: Mapping[str, str], value: float
) -> Iterator[tuple[str, ClassValue]]:
    """Yield each label with the value of its clips; ``value`` is that of all clips, which may be of one label."""
    members: dict[str, dict[str, Stat]] = {label: {} for label in sorted(set(labels.values()))}
    for clip_id, stat in found.items():
        members[labels[clip_id]][clip_id] = stat
    for label, chosen in members.items():
        of_all = len(chosen) == len(found)
        its = math.nan if not chosen else value if of_all else value_of(metric, chosen)
        yield label, ClassValue(its, len(chosen))
