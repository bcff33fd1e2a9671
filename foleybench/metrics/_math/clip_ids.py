"""Keep clip ids in statistics, for metrics that depend on order.

Statistics are arrays of float64, so an id is kept as the values of its bytes. A pool that sorts by ids gives the same
bits in any order of the clips.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray, IntArray

KEY = "clip_id"


def id_statistic(clip_id: str) -> FloatArray:
    """Return a clip id as a statistic: its UTF-8 bytes, shape (n,).

    Example:
        >>> id_statistic("a_1").tolist()
        [97.0, 95.0, 49.0]
    """
    return np.frombuffer(clip_id.encode(), dtype=np.uint8).astype(np.float64)


def order_by_id(stats: Sequence[Stat]) -> IntArray:
    """Return the positions of the statistics in the order of their clip ids, shape (n,)."""
    names = [stat[KEY].astype(np.uint8).tobytes() for stat in stats]
    return np.asarray(sorted(range(len(names)), key=lambda index: names[index]), dtype=np.int64)
