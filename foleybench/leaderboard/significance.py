"""Paired tests of all pairs in a table, Holm-corrected."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from foleybench.api.metric import Pool, Stat
from foleybench.stats import bootstrap, ranking
from foleybench.stats.bootstrap import Floats, Paired

# Fixed, so that a table depends on nothing but its results.
SEED = 0
ALPHA = 0.05
_LEAST_RESAMPLES = 1000


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


class _Replicates:
    """Values of resamples, made once per system and set of clips, so that every pair sees the same resamples."""

    def __init__(self, pool: Pool, sources: Mapping[str, str], resamples: int) -> None:
        self._pool = pool
        self._sources = sources
        self._resamples = resamples
        self._known: dict[tuple[int, tuple[str, ...]], tuple[float, Floats]] = {}

    def __call__(self, index: int, found: Mapping[str, Stat], ids: tuple[str, ...]) -> tuple[float, Floats]:
        key = (index, ids)
        if key not in self._known:
            ordered = [found[clip_id] for clip_id in ids]
            digest = hashlib.sha256("\n".join(ids).encode()).digest()
            rng = np.random.default_rng([SEED, int.from_bytes(digest[:4], "big")])
            groups = bootstrap.source_groups(ids, self._sources)
            counts = bootstrap.clip_counts(groups, bootstrap.draw_sources(len(groups), self._resamples, rng))
            self._known[key] = (self._pool(ordered), bootstrap.replicates(self._pool, ordered, counts))
        return self._known[key]


def compare_all(
    pool: Pool, systems: Sequence[Mapping[str, Stat]], sources: Mapping[str, str], *, centre: bool = False
) -> list[Comparison]:
    """Compare every pair of systems.

    Args:
        pool: The metric's pool.
        systems: Per system, clip id -> statistics.
        sources: Clip id -> source video.
        centre: Whether the metric is a biased distance (see ``stats.bootstrap``).

    Returns:
        One comparison a pair (i < j), in order. There are enough resamples that Holm's correction can still reach
        ``ALPHA`` (the smallest p-value is one over their number plus one).
    """
    pairs = list(itertools.combinations(range(len(systems)), 2))
    replicates = _Replicates(pool, sources, max(_LEAST_RESAMPLES, round(2 * len(pairs) / ALPHA)))
    found = [_compare(replicates, systems, i, j, sources, centre) for i, j in pairs]
    known = [index for index, paired in enumerate(found) if paired.p_value is not None]
    corrected = dict(zip(known, ranking.holm([found[index].p_value or 0.0 for index in known]), strict=True))
    return [Comparison(*pairs[index], paired, corrected.get(index)) for index, paired in enumerate(found)]


def _compare(
    replicates: _Replicates,
    systems: Sequence[Mapping[str, Stat]],
    i: int,
    j: int,
    sources: Mapping[str, str],
    centre: bool,
) -> Paired:
    ids = tuple(sorted(set(systems[i]) & set(systems[j])))
    n_sources = len({sources[clip_id] for clip_id in ids})
    if n_sources < 2:
        return Paired(float("nan"), None, None, None, len(ids), float("nan"), float("nan"))
    first, first_resampled = replicates(i, systems[i], ids)
    second, second_resampled = replicates(j, systems[j], ids)
    differences = first_resampled - second_resampled
    return bootstrap.compare(first, second, differences, n_sources, n=len(ids), centre=centre)


class Standing(NamedTuple):
    """Where one system stands.

    Attributes:
        low: Best place that it may hold.
        high: Worst place that it may hold.
        best: Whether it is the best, or not distinguishable from the best.
    """

    low: int
    high: int
    best: bool


def standings(
    values: Sequence[float], better: Literal["higher", "lower"], comparisons: Sequence[Comparison]
) -> list[Standing]:
    """Return the shared ranks of systems from their values and comparisons."""
    corrected = {frozenset((c.first, c.second)): c.p_holm for c in comparisons}

    def p(i: int, j: int) -> float | None:
        return corrected[frozenset((i, j))]

    ranks = ranking.shared_ranks(values, better, p, alpha=ALPHA)
    champion = int(np.argmax(values) if better == "higher" else np.argmin(values)) if values else 0
    against_best = [None if index == champion else p(index, champion) for index in range(len(values))]
    best = [p_holm is None or p_holm >= ALPHA for p_holm in against_best]
    return [Standing(low, high, is_best) for (low, high), is_best in zip(ranks, best, strict=True)]
