"""Make metrics of the mean cosine between two embeddings."""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import read_pair, scalar
from foleybench.stats.pools import Ratio

# Below this length an embedding has no direction (torch.cosine_similarity's own bound).
_SHORTEST = 1e-8
_POOL = Ratio("cosine")
_NO_IDEAL = "No system reaches 1: the control row of the ground truth shows what real audio reaches."


def cosine(first: FloatArray, second: FloatArray) -> float:
    """Return the cosine of the angle between two vectors (d,); 0 when one of them is all zeros.

    Example:
        >>> cosine(np.array([1.0, 0.0]), np.array([2.0, 2.0]))
        0.7071067811865475
    """
    lengths = max(float(np.linalg.norm(first)), _SHORTEST) * max(float(np.linalg.norm(second)), _SHORTEST)
    return min(1.0, max(-1.0, float(first @ second) / lengths))


def cosine_metric(
    *,
    title: str,
    source: str,
    first: Need,
    second: Need,
    ideal: float | None = None,
    undefined: str = "no clip was scored",
    of_means: bool = False,
) -> Metric:
    """Return the metric that is the mean cosine of two features of each clip.

    Args:
        title: Column heading.
        source: Paper or ``repo@commit`` that defines the metric.
        first: One feature, shape (d,).
        second: The other feature, of the same shape.
        ideal: Value of a perfect system.
        undefined: A sentence on when the value is undefined.
        of_means: Whether the features are rows (n, d), whose mean is used.
    """
    return Metric(
        title=title,
        version=1,
        unit="1",
        better="higher",
        ideal=ideal,
        best=1.0,
        worst=-1.0,
        source=source,
        needs={"first": first, "second": second},
        per_clip=_per_clip_of_means if of_means else _per_clip,
        pool=_POOL,
        undefined=undefined,
        note="" if ideal is not None else _NO_IDEAL,
        clip_value=_POOL.of_clip,
    )


def _per_clip(clip: ClipView) -> Stat:
    return {"cosine": scalar(cosine(*read_pair(clip, "first", "second")))}


def _per_clip_of_means(clip: ClipView) -> Stat:
    first, second = read_pair(clip, "first", "second")
    return {"cosine": scalar(cosine(first.mean(axis=0), second.mean(axis=0)))}
