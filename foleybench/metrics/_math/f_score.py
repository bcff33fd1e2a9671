"""Count and pool onset F1 at several tolerances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray
from foleybench.metrics._math.onset_matching import count_matches
from foleybench.stats.pools import Ratio

TOLERANCES_S = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3)
HEADLINE_S = 0.05


def counts(wanted_s: FloatArray, generated_s: FloatArray, ignored_s: FloatArray | None = None) -> Stat:
    """Count hits at every tolerance.

    Args:
        wanted_s: Times of true onsets, increasing, shape (n,).
        generated_s: Times of generated onsets, increasing, shape (m,).
        ignored_s: Times at which an onset counts neither for nor against, increasing, or None.

    Returns:
        ``tp`` and ``n_generated`` (without the ignored ones), one value per tolerance, and ``n_reference``.
    """
    hits = [count_matches(wanted_s, generated_s, t) for t in TOLERANCES_S]
    extra = [0] * len(TOLERANCES_S)
    if ignored_s is not None and len(ignored_s):
        either = np.sort(np.concatenate([wanted_s, ignored_s]))
        extra = [count_matches(either, generated_s, t) - hit for t, hit in zip(TOLERANCES_S, hits, strict=True)]
    return {
        "tp": np.asarray(hits, dtype=np.float64),
        "n_generated": len(generated_s) - np.asarray(extra, dtype=np.float64),
        "n_reference": np.asarray(len(wanted_s), dtype=np.float64),
    }


def curve(stats: Sequence[Stat]) -> dict[float, float]:
    """Return F1 at every tolerance, over all clips together (micro average); NaN for no clips.

    Example:
        >>> curve([counts(np.array([1.0]), np.array([1.08]))])
        {0.025: 0.0, 0.05: 0.0, 0.1: 1.0, 0.15: 1.0, 0.2: 1.0, 0.3: 1.0}
    """
    return {tolerance: pool_at(tolerance)(stats) for tolerance in TOLERANCES_S}


def pool_at(tolerance_s: float) -> Ratio:
    """Return the pool that gives F1 at one of the tolerances."""
    index = TOLERANCES_S.index(tolerance_s)
    return Ratio("tp", ("n_generated", "n_reference"), factor=2.0, index=index, counts=True)


POOL = pool_at(HEADLINE_S)
