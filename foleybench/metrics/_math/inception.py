"""Inception score: are single sounds clear to a classifier, and all of them together varied."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, xlogy

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.clips import FloatArray, IntArray
from foleybench.metrics._families.features import read
from foleybench.metrics._families.ids import KEY, id_statistic, order_by_id

N_SPLITS = 10
SEED = 2020
# Random halvings for the correction; each gives two halves.
_N_HALVINGS = 8


class Score(NamedTuple):
    """Mean and population standard deviation over the splits, as peers print them."""

    mean: float
    std: float


def inception_score(logits: FloatArray, splits: int = N_SPLITS, seed: int | None = SEED) -> Score:
    """Return the inception score of rows of logits.

    Args:
        logits: Shape (n, n_classes), in the order that the peers would read them (by name).
        splits: Number of parts, cut after one shuffle; the score is their mean.
        seed: Of the shuffle (``RandomState``), or None for no shuffle.

    Returns:
        NaN twice when there are fewer rows than splits.

    Example:
        >>> round(inception_score(np.kron(np.eye(4), np.full((10, 1), 50.0)), splits=1).mean, 6)
        4.0
    """
    order = _shuffled(len(logits), seed)
    parts = _parts(order, splits)
    if not all(len(part) for part in parts):
        return Score(float("nan"), float("nan"))
    log_p = log_softmax(np.asarray(logits, dtype=np.float64), axis=1)
    p = np.exp(log_p)
    negative_entropy = np.sum(p * log_p, axis=1)
    scores = [_score(p[part].mean(axis=0), float(negative_entropy[part].mean())) for part in parts]
    return Score(float(np.mean(scores)), float(np.std(scores)))


@dataclasses.dataclass(frozen=True)
class InceptionPool:
    """The score of a set of clips, in the order of their ids."""

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the mean over the splits; NaN for fewer clips than splits."""
        if len(stats) < N_SPLITS:
            return float("nan")
        return inception_score(_rows(stats)).mean

    def many(self, stats: Sequence[Stat], counts: npt.NDArray[np.int64]) -> FloatArray:
        """Return the scores of resamples: each is sorted by clip id, shuffled and cut like the set itself.

        Args:
            stats: Statistics of n clips.
            counts: How often each clip occurs in each resample, shape (resamples, n).

        Returns:
            Shape (resamples,).
        """
        log_p = log_softmax(_rows(stats), axis=1)
        p = np.exp(log_p)
        negative_entropy = np.sum(p * log_p, axis=1)
        places = np.arange(len(stats))
        values = np.full(len(counts), np.nan)
        for index, row in enumerate(counts[:, order_by_id(tuple(stats))]):
            drawn = np.repeat(places, row)
            parts = _parts(drawn[_shuffled(len(drawn), SEED)], N_SPLITS)
            if all(len(part) for part in parts):
                # counts of clips per split, so that one product makes all means
                weights = np.stack([np.bincount(part, minlength=len(places)) / len(part) for part in parts])
                means, entropies = weights @ p, weights @ negative_entropy
                values[index] = np.mean([_score(m, float(e)) for m, e in zip(means, entropies, strict=True)])
        return values


def corrected(stats: Sequence[Stat]) -> float:
    """Return the score of all clips in one piece, extrapolated to infinitely many clips.

    The mean posterior of few clips is too peaked, so the score is too low by about 1 / n; ten splits of n / 10 clips
    have ten times that bias. Twice the score of all clips less the mean score of random halves is free of it to first
    order.

    Sources: Chong and Forsyth, "Effectively unbiased FID and Inception Score", CVPR 2020, with two sizes, no fit.
    """
    half = len(stats) // 2
    if half < 2:
        return float("nan")
    rows = _rows(stats)
    rng = np.random.default_rng(0)
    halves = []
    for _ in range(_N_HALVINGS):
        order = rng.permutation(len(rows))
        halves += [inception_score(rows[part], 1, None).mean for part in (order[:half], order[half : 2 * half])]
    share = half / len(rows)
    return (inception_score(rows, 1, None).mean - share * float(np.mean(halves))) / (1.0 - share)


def inception_metric(*, encoder: str, title: str, source: str) -> Metric:
    """Return the metric that is the inception score of the generated sounds' posteriors."""
    return Metric(
        title=title,
        version=1,
        unit="1",
        better="higher",
        ideal=None,
        source=source,
        needs={"generated": Need(encoder=encoder, layer="logits", of="generated")},
        per_clip=_per_clip,
        pool=InceptionPool(),
        corrected=corrected,
        undefined=f"fewer clips than the {N_SPLITS} splits",
        minimum_clips=2 * N_SPLITS,
    )


def _per_clip(clip: ClipView) -> Stat:
    return {"logits": read(clip, "generated"), KEY: id_statistic(clip.clip_id)}


def _rows(stats: Sequence[Stat]) -> FloatArray:
    return np.stack([stats[index]["logits"] for index in order_by_id(tuple(stats))])


def _shuffled(n: int, seed: int | None) -> IntArray:
    """Return the order of the rows; the legacy generator, because the peers' numbers depend on it."""
    order = np.arange(n) if seed is None else np.random.RandomState(seed).permutation(n)
    return order.astype(np.int64)


def _parts(order: IntArray, splits: int) -> list[IntArray]:
    n = len(order)
    return [order[k * n // splits : (k + 1) * n // splits] for k in range(splits)]


def _score(mean_posterior: FloatArray, mean_negative_entropy: float) -> float:
    marginal = float(np.sum(xlogy(mean_posterior, mean_posterior)))
    return float(np.exp(mean_negative_entropy - marginal))
