"""Finding a clip's own real sound among those of all clips."""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import both, read_feature
from foleybench.metrics._math.retrieval import RetrievalPool, What

_NOTE = (
    "By the cosine between mean embeddings of the clip's generated sound and of all clips' real sounds. Compare "
    "systems on the same clips only: among clips of one class it is harder than among many."
)


def retrieval_metric(*, encoder: str, layer: str, title: str, source: str, what: What, worst: float) -> Metric:
    """Return the metric that says how well real sounds are found by generated ones.

    Args:
        encoder: Makes the embeddings, rows of a clip.
        layer: Which of its outputs, shape (n, d).
        title: Column heading.
        source: What defines it.
        what: As in ``RetrievalPool``.
        worst: Value at the other end of the scale.
    """
    return Metric(
        title=title,
        version=1,
        unit="1",
        better="higher",
        ideal=1.0,
        worst=worst,
        source=source,
        needs=both(encoder, layer),
        per_clip=_means,
        pool=RetrievalPool(what),
        undefined="there are no two clips with different real sounds",
        note=_NOTE,
        minimum_clips=2,
        takes=None,
    )


def _means(clip: ClipView) -> Stat:
    return {name: read_feature(clip, name).mean(axis=0, keepdims=True) for name in ("reference", "generated")}
