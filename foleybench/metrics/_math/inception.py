"""Compute inception scores: each clip clear, all together varied."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax, xlogy

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray, IntArray
from foleybench.metrics._math.clip_ids import order_by_id
from foleybench.metrics._math.extrapolate import extrapolated
from foleybench.stats.influence import Influence

N_SPLITS = 10
SEED = 2020


class Score(NamedTuple):
    """Mean and population standard deviation over the splits, as peers report them."""

    mean: float
    std: float


def inception_score(logits: FloatArray, splits: int = N_SPLITS, seed: int | None = SEED) -> Score:
    """Return the inception score of rows of logits.

    Args:
        logits: Shape (n, n_classes), in the order that the peers would read them (by name).
        splits: Number of parts, cut after one shuffle; the score is their mean.
        seed: Seed of the shuffle (``RandomState``), or None for no shuffle.

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

    def influence(self, stats: Sequence[Stat]) -> Influence:
        """Return the influence of every clip, by leaving it out of its split.

        A split's mean posterior is of few clips and far from linear in them: the derivative gives intervals 0.6 to 0.9
        times as wide as they should be, leaving out gives the right ones.
        """
        order = order_by_id(stats)
        log_p = log_softmax(_rows(stats), axis=1)
        p = np.exp(log_p)
        negative_entropy = np.sum(p * log_p, axis=1)
        change = np.zeros(len(stats))
        for part in _parts(_shuffled(len(stats), SEED), N_SPLITS):
            without = _scores_without(p[part], negative_entropy[part])
            change[order[part]] = (without.mean() - without) * (len(part) - 1) / (len(part) * N_SPLITS)
        return Influence(change, np.full(len(stats), 1.0 / len(stats)))


def corrected_score(stats: Sequence[Stat], sources: Sequence[str]) -> float:
    """Return the score of all clips in one piece, extrapolated to infinitely many videos.

    The mean posterior of few clips is too peaked, so the score is too low by about 1 / n; ten splits of n / 10 clips
    have ten times that bias. Clips of one video are alike, so halves are halves of the videos.

    Args:
        stats: Statistics of the clips.
        sources: For each clip the video that it was cut from.
    """
    if not stats:
        return float("nan")
    rows = _rows(stats)
    ordered = [sources[int(index)] for index in order_by_id(stats)]
    return extrapolated(lambda chosen: inception_score(rows[chosen], 1, None).mean, ordered)


def _rows(stats: Sequence[Stat]) -> FloatArray:
    return np.stack([stats[index]["logits"] for index in order_by_id(stats)])


def _shuffled(n: int, seed: int | None) -> IntArray:
    """Return the order of the rows; the legacy generator, because the peers' numbers depend on it."""
    order = np.arange(n) if seed is None else np.random.RandomState(seed).permutation(n)
    return order.astype(np.int64)


def _parts(order: IntArray, splits: int) -> list[IntArray]:
    n = len(order)
    return [order[k * n // splits : (k + 1) * n // splits] for k in range(splits)]


def _scores_without(p: FloatArray, negative_entropy: FloatArray) -> FloatArray:
    """Return the score of some clips without each of them in turn, shape (n,), n >= 2.

    Args:
        p: Posteriors, shape (n, n_classes).
        negative_entropy: Negative entropy of each posterior, shape (n,).
    """
    left = len(p) - 1
    means = np.maximum(0.0, (p.sum(axis=0) - p) / left)  # a class of one clip alone: rounding below 0
    clarity = (negative_entropy.sum() - negative_entropy) / left
    return np.asarray(np.exp(clarity - np.sum(xlogy(means, means), axis=1)), dtype=np.float64)


def _score(mean_posterior: FloatArray, mean_negative_entropy: float) -> float:
    marginal = float(np.sum(xlogy(mean_posterior, mean_posterior)))
    return float(np.exp(mean_negative_entropy - marginal))
