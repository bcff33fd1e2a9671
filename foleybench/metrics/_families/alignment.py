"""Make Align Acc metrics: share of clips judged aligned."""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import read_feature, scalar
from foleybench.stats.pools import Ratio

THRESHOLD = 0.5
_POOL = Ratio("aligned", factor=100.0, counts=True)
_NOTE = (
    "The metric only counts positives: a classifier that says yes to everything scores 100. So read the value beside "
    "the control rows (ground truth, shifted by 0.1, 0.5, 1 and 2 s, another clip). A value above that of the shifted "
    "ground truth shows that timing counts, a value above that of another clip shows that content counts."
)


def alignment_metric(
    *,
    encoder: str,
    title: str,
    source: str,
    layer: str = "probability",
    undefined: str = "no clip was scored",
    version: int = 1,
) -> Metric:
    """Return the share of clips, in percent, whose probability of being aligned is above one half."""
    return Metric(
        title=title,
        version=version,
        unit="%",
        better="higher",
        ideal=100.0,
        worst=0.0,
        source=source,
        needs={"probability": Need(encoder=encoder, layer=layer, of="generated")},
        per_clip=_per_clip,
        pool=_POOL,
        undefined=undefined,
        note=_NOTE,
        clip_value=_POOL.of_clip,
    )


def _per_clip(clip: ClipView) -> Stat | None:
    """Return whether a clip is judged to be aligned; None when it is too short for the classifier."""
    probability = read_feature(clip, "probability")
    if not probability.size:
        return None
    value = float(probability.reshape(-1)[0])
    return {"aligned": scalar(float(value > THRESHOLD)), "probability": scalar(value)}
