"""Make metrics of finding a clip's own real audio among all."""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import both, read_feature
from foleybench.metrics._math.retrieval import RetrievalPool, What

_NOTE = (
    "By the cosine between mean embeddings of the clip's generated audio and of all clips' real audio. Compare "
    "systems on the same clips only: among clips of one class it is harder than among many."
)


def retrieval_metric(*, encoder: str, layer: str, title: str, source: str, what: What, worst: float) -> Metric:
    """Return the metric that says how well real audio is found by generated audio.

    Args:
        encoder: Encoder of the embeddings, rows of a clip.
        layer: Output of the encoder, shape (n, d).
        title: Column heading.
        source: Paper or ``repo@commit`` that defines the metric.
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
        undefined="there are no two clips with different real audio",
        note=_NOTE,
        minimum_clips=2,
        takes=None,
    )


def _means(clip: ClipView) -> Stat:
    return {name: read_feature(clip, name).mean(axis=0, keepdims=True) for name in ("reference", "generated")}
