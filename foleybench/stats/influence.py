"""Compute each source video's first-order influence on a pooled value.

A pool that is a ratio of sums, a distance of moments or a mean of kernels gives its influence exactly (``LinearPool``);
for any other, the value is computed again without each video in turn (jackknife).

Sources: Jaeckel, "The infinitesimal jackknife", 1972; Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
chapter 22.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from foleybench.api.metric import Pool, Stat
from foleybench.clips import FloatArray, IntArray

# The jackknife leaves out this many groups of videos at most; more videos go together in groups.
MOST_GROUPS = 500


class Influence(NamedTuple):
    """The influence of clips or videos on a value.

    Attributes:
        change: First-order change of the value with the weight of each, sum 0, shape (n,).
        weights: Share of each in the value, none negative, sum 1, shape (n,).
    """

    change: FloatArray
    weights: FloatArray


@runtime_checkable
class LinearPool(Protocol):
    """A ``pool`` that computes the influence of each clip."""

    def influence(self, stats: Sequence[Stat]) -> Influence:
        """Return the influence of every clip, in the order given, where the value is defined."""
        ...


def source_groups(ids: Sequence[str], sources: Mapping[str, str]) -> list[IntArray]:
    """Return, per source video in sorted order, the positions of its clips in ``ids``."""
    members: dict[str, list[int]] = {}
    for position, clip_id in enumerate(ids):
        members.setdefault(sources[clip_id], []).append(position)
    return [np.asarray(members[source], dtype=np.int64) for source in sorted(members)]


def of_videos(pool: Pool, stats: Sequence[Stat], groups: Sequence[IntArray]) -> Influence | None:
    """Return the influence of every video.

    Args:
        pool: The metric's pool, defined on ``stats``.
        stats: Statistics of the clips.
        groups: Per video, the positions of its clips in ``stats``; two at least.

    Returns:
        The influence of each video; of groups of videos where the pool has no ``influence`` and there are more than
        500. None when the value is undefined without one of them.
    """
    if isinstance(pool, LinearPool):
        found = pool.influence(stats)
        return Influence(*(np.array([column[members].sum() for members in groups]) for column in found))
    return _jackknife(pool, stats, groups)


def _jackknife(pool: Pool, stats: Sequence[Stat], groups: Sequence[IntArray]) -> Influence | None:
    """Leave each video out in turn; exact for ratios of sums that weigh clips alike."""
    kept = min(len(groups), MOST_GROUPS)
    together = [np.concatenate(groups[first::kept]) for first in range(kept)]
    weights = np.array([len(members) for members in together]) / len(stats)
    value = pool(stats)
    without = []
    for members in together:
        left_out = set(members.tolist())
        without.append(pool([stat for position, stat in enumerate(stats) if position not in left_out]))
    if not np.isfinite(without).all():
        return None
    change = (value - np.array(without)) * (1.0 - weights)
    return Influence(change - weights * change.sum(), weights)
