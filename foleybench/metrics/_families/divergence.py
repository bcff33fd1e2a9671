"""Make metrics of divergence between posteriors of reference and generated audio."""

from __future__ import annotations

import math

import numpy as np

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.errors import FoleyError
from foleybench.metrics._families.differences import difference_metric
from foleybench.metrics._families.features import both, read_feature, scalar
from foleybench.metrics._math.divergence import (
    EPSILON,
    Divergence,
    bernoulli_divergence,
    half_bernoulli,
    half_bernoulli_epsilon,
    kl_divergence,
    kl_divergence_epsilon,
)
from foleybench.stats.pools import Ratio

# The largest value of a clip: no probability under the logarithm is below 1e-6.
_MOST = -math.log(EPSILON)
_NOTHING_ADDED = "KL(reference || generated) in nats: log-softmax of both, and nothing added to a probability."
_EPSILON = (
    "Sum of ``p log(p / (q + 1e-6))``, so no clip exceeds 13.8, and the ground truth gives about -0.0005: with 1e-6 "
    "added the posterior does not sum to 1. For parity only; use ``kld_passt`` or ``kld_panns``."
)
_SIGMOID = (
    "Warning: this value is not a Kullback-Leibler divergence, although tables call it one. For each class the value "
    "keeps ``p log(p / q)`` of the sigmoid posteriors, without ``(1 - p) log((1 - p) / (1 - q))``. So it has no "
    "lower bound: the ground truth gives 0 (about -0.0005 with 1e-6 added), and audio for which the classifier reports "
    "every class at once gives less. For parity only; use the ``kld_`` metric of the same classifier."
)
_CLASSES = (
    "KL(reference || generated) in nats, added up over classes: ``p log(p / q) + (1 - p) log((1 - p) / (1 - q))`` of "
    "each, both halves, with sigmoid posteriors p (reference) and q (generated) and nothing added to a probability. A "
    "class that is lacking and one that is added both count."
)


def kl_metric(*, encoder: str, title: str, source: str) -> Metric:
    """Return the Kullback-Leibler divergence of softmax posteriors, averaged over clips."""
    return _metric(kl_divergence, encoder=encoder, title=title, source=source, ideal=0.0, note=_NOTHING_ADDED)


def kl_epsilon_metric(
    *, encoder: str, title: str, source: str, divergence: Divergence = kl_divergence_epsilon
) -> Metric:
    """Return the divergence with 1e-6 added under the logarithm, averaged over clips."""
    return _metric(divergence, encoder=encoder, title=title, source=source, worst=_MOST, note=_EPSILON)


def kl_sigmoid_metric(*, encoder: str, title: str, source: str, epsilon: bool = False) -> Metric:
    """Return the half of a divergence of sigmoid posteriors that peers call "KL sigmoid", averaged over clips.

    Args:
        encoder: The classifier.
        title: Column heading.
        source: ``repo@commit`` of the peer.
        epsilon: Whether 1e-6 is added to the generated probabilities.
    """
    divergence = half_bernoulli_epsilon if epsilon else half_bernoulli
    return _metric(divergence, encoder=encoder, title=title, source=source, note=_SIGMOID)


def kl_classes_metric(*, encoder: str, title: str, source: str, version: int = 1) -> Metric:
    """Return the Kullback-Leibler divergence of sigmoid posteriors, summed over classes and averaged over clips."""
    return _metric(
        bernoulli_divergence,
        encoder=encoder,
        title=title,
        source=source,
        version=version,
        ideal=0.0,
        note=_CLASSES,
    )


def kl_segments_metric(*, encoder: str, title: str, source: str) -> Metric:
    """Return ``kl_epsilon_metric`` averaged over all segments of all clips: long clips count for more."""
    pool = Ratio("kl", ("n",))
    return Metric(
        title=title,
        version=1,
        unit="nat",
        better="lower",
        ideal=None,
        worst=_MOST,
        source=source,
        needs=both(encoder, "logits"),
        per_clip=_per_segment,
        pool=pool,
        undefined="no clip has audio long enough for a segment",
        note=_EPSILON,
        clip_value=pool.of_clip,
    )


def _metric(
    divergence: Divergence,
    *,
    encoder: str,
    title: str,
    source: str,
    ideal: float | None = None,
    worst: float | None = None,
    version: int = 1,
    note: str,
) -> Metric:
    return difference_metric(
        divergence,
        encoder=encoder,
        layer="logits",
        title=title,
        unit="nat",
        source=source,
        version=version,
        ideal=ideal,
        worst=worst,
        statistic="kl",
        note=note,
    )


def _per_segment(clip: ClipView) -> Stat | None:
    reference, generated = (
        np.atleast_2d(read_feature(clip, "reference")),
        np.atleast_2d(read_feature(clip, "generated")),
    )
    if len(reference) != len(generated):
        raise FoleyError(
            f"clip {clip.clip_id!r} has {len(reference)} segments of reference and {len(generated)} of generated "
            "audio; cut or pad the audio to the clip's length before features are made."
        )
    if not len(reference):
        return None
    parts = [kl_divergence_epsilon(p, q) for p, q in zip(reference, generated, strict=True)]
    return {"kl": scalar(float(np.sum(parts))), "n": scalar(float(len(parts)))}
