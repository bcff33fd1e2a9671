"""Make inception scores of a classifier's posteriors of generated audio."""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import read_feature
from foleybench.metrics._math.clip_ids import KEY, id_statistic
from foleybench.metrics._math.inception import N_SPLITS, InceptionPool, corrected_score

_NOTE = (
    "Exponential of the mean divergence of a clip's posterior from the mean posterior, in ten parts after one shuffle "
    "(``RandomState(2020)``), as av-benchmark and audioldm_eval compute it. Clips are sorted by id before the shuffle, "
    "so the order of files cannot change the value. The score is biased downwards with few clips: the corrected value, "
    "in one part and extrapolated, stands beside it. The score uses neither video nor reference audio: clear, varied "
    "and wrong audio scores high."
)


def inception_metric(*, encoder: str, n_classes: int, title: str) -> Metric:
    """Return the metric that is the inception score of the generated audio's posteriors.

    Args:
        encoder: The classifier.
        n_classes: Number of classes, which is the largest value.
        title: Column heading.
    """
    return Metric(
        title=title,
        version=1,
        unit="1",
        better="higher",
        ideal=None,
        best=float(n_classes),
        worst=1.0,
        source="av-benchmark@050a5cd metrics/isc.py; Salimans et al., NeurIPS 2016",
        needs={"generated": Need(encoder=encoder, layer="logits", of="generated")},
        per_clip=_per_clip,
        pool=InceptionPool(),
        corrected=corrected_score,
        undefined="no clip was scored",
        note=_NOTE,
        minimum_clips=2 * N_SPLITS,
        takes=None,
    )


def _per_clip(clip: ClipView) -> Stat:
    return {"logits": read_feature(clip, "generated"), KEY: id_statistic(clip.clip_id)}
