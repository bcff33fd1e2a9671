"""Compute divergences between a classifier's posteriors, from logits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit, log_expit, log_softmax, logsumexp, softmax, xlogy

from foleybench.clips import FloatArray

# Added to probabilities under the logarithm by audioldm_eval, SpecVQGAN, audiocraft and stable-audio-metrics.
EPSILON = 1e-6

Divergence = Callable[[FloatArray, FloatArray], float]


def kl_divergence(reference: FloatArray, generated: FloatArray) -> float:
    """Return KL(reference || generated) of the softmax posteriors, in nats.

    Log-softmax on both sides and nothing added to a probability, as av-benchmark does: adding 1e-6, as others do,
    bounds the value of a clip near 13.8 and changes means on peaked posteriors.

    Args:
        reference: Logits, shape (n_classes,).
        generated: Logits, shape (n_classes,).

    Example:
        >>> round(kl_divergence(np.log([0.1, 0.4, 0.5]), np.log([0.8, 0.15, 0.05])), 9)
        1.335680094
    """
    log_p, log_q = log_softmax(reference), log_softmax(generated)
    return max(0.0, float(np.sum(np.exp(log_p) * (log_p - log_q))))


def kl_divergence_of_means(reference: FloatArray, generated: FloatArray) -> float:
    """Return KL(reference || generated) of the softmax posteriors, each averaged over its rows, in nats.

    Args:
        reference: Logits, shape (n, n_classes), n >= 1.
        generated: Logits, shape (m, n_classes), m >= 1.

    Example:
        >>> import numpy as np
        >>> one = np.log([[0.1, 0.4, 0.5]])
        >>> round(kl_divergence_of_means(one, np.log([[0.7, 0.2, 0.1], [0.9, 0.1, 1e-9]])), 9)
        1.335680089
    """
    log_p, log_q = (logsumexp(log_softmax(rows, axis=1), axis=0) - np.log(len(rows)) for rows in (reference, generated))
    return max(0.0, float(np.sum(np.exp(log_p) * (log_p - log_q))))


def kl_divergence_epsilon(reference: FloatArray, generated: FloatArray) -> float:
    """Return the sum of ``p log(p / (q + 1e-6))`` for softmax posteriors p (reference) and q (generated), in nats.

    Not a divergence: q + 1e-6 does not sum to 1, so equal posteriors over 527 classes give about -0.0005.

    Example:
        >>> round(kl_divergence_epsilon(np.log([0.1, 0.4, 0.5]), np.log([0.8, 0.15, 0.05])), 9)
        1.335667302
    """
    p, q = softmax(reference), softmax(generated)
    return float(np.sum(xlogy(p, p) - xlogy(p, q + EPSILON)))


def kl_divergence_epsilon_reversed(reference: FloatArray, generated: FloatArray) -> float:
    """Return ``kl_divergence_epsilon`` with reference and generated exchanged."""
    return kl_divergence_epsilon(generated, reference)


def bernoulli_divergence(reference: FloatArray, generated: FloatArray) -> float:
    """Return KL(reference || generated) of sigmoid posteriors, summed over classes, in nats.

    Args:
        reference: Log-odds, shape (n_classes,).
        generated: Log-odds, shape (n_classes,).

    Example:
        >>> round(bernoulli_divergence(np.log([3.0]), np.log([1.0])), 9)  # of 0.75 and 0.5
        0.130812036
    """
    present = expit(reference) * (log_expit(reference) - log_expit(generated))
    absent = expit(-reference) * (log_expit(-reference) - log_expit(-generated))
    return max(0.0, float(np.sum(present + absent)))


def half_bernoulli(reference: FloatArray, generated: FloatArray) -> float:
    """Return the sum of ``p log(p / q)`` over classes for sigmoid posteriors: half of each Bernoulli divergence.

    Without the half ``(1 - p) log((1 - p) / (1 - q))`` the sum is no divergence and has no lower bound.

    Example:
        >>> round(half_bernoulli(np.zeros(100), np.full(100, 10.0)), 2)
        -34.66
    """
    return float(np.sum(expit(reference) * (log_expit(reference) - log_expit(generated))))


def half_bernoulli_epsilon(reference: FloatArray, generated: FloatArray) -> float:
    """Return ``half_bernoulli`` with 1e-6 added to the generated probabilities."""
    p = expit(reference)
    return float(np.sum(xlogy(p, p) - xlogy(p, expit(generated) + EPSILON)))
