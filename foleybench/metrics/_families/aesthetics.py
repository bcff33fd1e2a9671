"""Make metrics of Audiobox Aesthetics: the mean rating of an axis."""

from __future__ import annotations

from typing import Literal

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import read_feature, scalar
from foleybench.stats.pools import Ratio

_POOL = Ratio("rating")
_NOTE = (
    "A network's guess at what listeners would say on a scale from 1 to 10, from 10 s windows at 16 kHz: nothing above "
    "8 kHz counts. The video and the real audio are not used, so a good sound of the wrong thing or at the wrong time "
    "loses nothing. The row of the ground truth shows what real audio gets."
)


def aesthetics_metric(*, title: str, layer: str, better: Literal["higher", "lower"]) -> Metric:
    """Return the metric that is the mean over clips of one axis.

    Args:
        title: Column heading.
        layer: Layer of encoder ``aesthetics``.
        better: Direction.
    """
    return Metric(
        title=title,
        version=1,
        unit="1",
        better=better,
        ideal=None,
        source="Tjandra et al., arXiv 2502.05139; audiobox_aesthetics 0.0.4",
        needs={"rating": Need(encoder="aesthetics", layer=layer, of="generated")},
        per_clip=_per_clip,
        pool=_POOL,
        undefined="no clip was scored",
        note=_NOTE,
        clip_value=_POOL.of_clip,
    )


def _per_clip(clip: ClipView) -> Stat:
    return {"rating": scalar(float(read_feature(clip, "rating")))}
