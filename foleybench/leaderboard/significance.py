"""Test all pairs of systems in a table, Holm-corrected."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from foleybench.api.metric import Pool, Stat
from foleybench.stats import ranking
from foleybench.stats.influence import Influence, of_videos, source_groups
from foleybench.stats.intervals import Paired, compare

# Fixed, so that a table depends on nothing but its results.
SEED = 0
ALPHA = 0.05
_LEAST_DRAWS = 1000


class Comparison(NamedTuple):
    """Two systems of a table.

    Attributes:
        first: Index of the first system.
        second: Index of the second system.
        paired: Difference, interval and p-value on the clips that both have.
        p_holm: The p-value corrected for all pairs of the metric; None when there is none.
    """

    first: int
    second: int
    paired: Paired
    p_holm: float | None


class _Known:
    """Values and influences, computed once per system and set of clips for all pairs."""

    def __init__(self, pool: Pool, sources: Mapping[str, str]) -> None:
        self._pool = pool
        self._sources = sources
        self._known: dict[tuple[int, tuple[str, ...]], tuple[float, Influence | None]] = {}

    def __call__(self, index: int, found: Mapping[str, Stat], ids: tuple[str, ...]) -> tuple[float, Influence | None]:
        key = (index, ids)
        if key not in self._known:
            ordered = [found[clip_id] for clip_id in ids]
            value = self._pool(ordered)
            groups = source_groups(ids, self._sources)
            self._known[key] = (value, of_videos(self._pool, ordered, groups) if np.isfinite(value) else None)
        return self._known[key]


def compare_all(
    pool: Pool, systems: Sequence[Mapping[str, Stat]], sources: Mapping[str, str], *, span: float | None = None
) -> list[Comparison]:
    """Compare every pair of systems.

    Args:
        pool: The metric's pool.
        systems: Per system, clip id -> statistics.
        sources: Clip id -> source video.
        span: Range of the metric (``stats.estimate.span_of``).

    Returns:
        One comparison a pair (i < j), in order. There are enough sign vectors that Holm's correction can still reach
        ``ALPHA`` (the smallest p-value is one over their number plus one).
    """
    pairs = list(itertools.combinations(range(len(systems)), 2))
    draws = max(_LEAST_DRAWS, round(2 * len(pairs) / ALPHA))
    known = _Known(pool, sources)
    found = [_compare(known, systems, i, j, sources, draws, span) for i, j in pairs]
    told = [index for index, paired in enumerate(found) if paired.p_value is not None]
    corrected = dict(zip(told, ranking.holm([found[index].p_value or 0.0 for index in told]), strict=True))
    return [Comparison(*pairs[index], paired, corrected.get(index)) for index, paired in enumerate(found)]


def _compare(
    known: _Known,
    systems: Sequence[Mapping[str, Stat]],
    i: int,
    j: int,
    sources: Mapping[str, str],
    draws: int,
    span: float | None,
) -> Paired:
    ids = tuple(sorted(set(systems[i]) & set(systems[j])))
    if len({sources[clip_id] for clip_id in ids}) < 2:
        return Paired(float("nan"), None, None, None, len(ids), float("nan"), float("nan"))
    (first, one), (second, other) = known(i, systems[i], ids), known(j, systems[j], ids)
    digest = hashlib.sha256("\n".join(ids).encode()).digest()
    rng = np.random.default_rng([SEED, int.from_bytes(digest[:4], "big")])
    return compare(first, second, one, other, n=len(ids), rng=rng, draws=draws, span=span)


class Standing(NamedTuple):
    """The ranks that a system may hold.

    Attributes:
        low: Best rank that the system may hold.
        high: Worst rank that the system may hold.
        best: Whether no system is significantly better.
    """

    low: int
    high: int
    best: bool


def standings(n: int, better: Literal["higher", "lower"], comparisons: Sequence[Comparison]) -> list[Standing]:
    """Return the shared ranks of systems from their comparisons.

    Args:
        n: Number of systems.
        better: Direction of the metric.
        comparisons: One for each pair of them.
    """
    found = {(c.first, c.second): c for c in comparisons}
    sign = 1.0 if better == "higher" else -1.0

    def of(i: int, j: int) -> tuple[Comparison, float]:
        return (found[i, j], sign) if (i, j) in found else (found[j, i], -sign)

    def gap(i: int, j: int) -> float:
        comparison, turned = of(i, j)
        return turned * comparison.paired.difference

    ranks = ranking.shared_ranks(n, gap, lambda i, j: of(i, j)[0].p_holm, alpha=ALPHA)
    return [Standing(low, high, low == 1) for low, high in ranks]
