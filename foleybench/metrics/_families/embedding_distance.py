"""Fréchet distances between embeddings of all clips' two sounds, as metrics."""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import both
from foleybench.metrics._math.distances import corrected, pool, rows_per_clip


def rows_if_any(clip: ClipView) -> Stat | None:
    """Return the embeddings of a clip's two sounds as rows, or None when one of them is too short to have any."""
    rows = rows_per_clip(clip)
    return rows if len(rows["reference"]) and len(rows["generated"]) else None


def frechet_metric(*, encoder: str, layer: str, title: str, source: str) -> Metric:
    """Return the metric that is the Fréchet distance between an encoder's embeddings."""
    return Metric(
        title=title,
        version=1,
        unit="1",
        better="lower",
        ideal=0.0,
        source=source,
        needs=both(encoder, layer),
        per_clip=rows_if_any,
        pool=pool,
        corrected=corrected,
        undefined="too few clips for a covariance",
        minimum_clips=16,
    )
