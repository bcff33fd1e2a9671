"""Agreement of two embeddings that one net made of two things: the metrics that average a cosine over clips."""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import read_pair, scalar
from foleybench.stats.pools import Ratio

# Below this length an embedding has no direction (torch.cosine_similarity's own bound).
_SHORTEST = 1e-8


def cosine(first: FloatArray, second: FloatArray) -> float:
    """Return the cosine of the angle between two vectors (d,); 0 when one of them is all zeros.

    Example:
        >>> cosine(np.array([1.0, 0.0]), np.array([2.0, 2.0]))
        0.7071067811865475
    """
    lengths = max(float(np.linalg.norm(first)), _SHORTEST) * max(float(np.linalg.norm(second)), _SHORTEST)
    return min(1.0, max(-1.0, float(first @ second) / lengths))


def cosine_metric(
    *, title: str, source: str, first: Need, second: Need, undefined: str = "no clip was scored"
) -> Metric:
    """Return the metric that is the mean cosine of two features of each clip."""
    pool = Ratio("cosine")

    def per_clip(clip: ClipView) -> Stat:
        return {"cosine": scalar(cosine(*read_pair(clip, "first", "second")))}

    return Metric(
        title=title,
        version=1,
        unit="1",
        better="higher",
        ideal=None,
        source=source,
        needs={"first": first, "second": second},
        per_clip=per_clip,
        pool=pool,
        undefined=undefined,
        clip_value=pool.of_clip,
    )
