"""Moderate variances that each rest on few values.

Two or three values can lie close together by luck, and then their variance says that they hardly vary. Where many
groups have such a variance, their true ones are taken to come from a scaled inverse chi-squared law, whose scale and
degrees of freedom are those that make the estimates most likely; each group's variance is then drawn towards that
scale, and knows as much more as the law has degrees of freedom, though never more than all estimates together.

The estimates then follow a scaled F law (Smyth 2004, "Linear models and empirical Bayes methods for assessing
differential expression in microarray experiments", section 3). Smyth's own estimator (section 6.2) takes moments of
their logarithms, on which small variances bear most: one group that varies far more than the others hardly shows there,
and shows in the likelihood.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize
from scipy.special import digamma, gammaln

from foleybench.clips import FloatArray

LEAST_GROUPS = 3
# Below this many degrees of freedom the law tells a group nothing.
_LEAST_FREEDOM = 0.1
# No scale is sought farther from the mean variance than by this logarithm: numbers stay finite on the way.
_FAR = 30.0


class Variance(NamedTuple):
    """An estimated variance.

    Attributes:
        variance: Its value.
        freedom: Its degrees of freedom; infinite where it is taken as known.
    """

    variance: float
    freedom: float


class CommonLaw(NamedTuple):
    """Where the true variances of groups come from.

    Attributes:
        scale: The law's scale.
        freedom: Its degrees of freedom.
        pooled: Degrees of freedom of all estimates together, which no moderated variance exceeds.
    """

    scale: float
    freedom: float
    pooled: float

    def moderate(self, own: Variance) -> Variance:
        """Return a group's variance drawn towards the scale, each weighted by its degrees of freedom.

        Example:
            >>> CommonLaw(4.0, 4, 28).moderate(Variance(1.0, 2))
            Variance(variance=3.0, freedom=6)
        """
        freedom = own.freedom + self.freedom
        told = (own.freedom * own.variance + self.freedom * self.scale) / freedom
        return Variance(told, min(freedom, self.pooled))

    def of_two(self) -> CommonLaw:
        """Return the law of the variance of a sum or difference of two independent values."""
        return self._replace(scale=2 * self.scale)

    @property
    def alone(self) -> Variance:
        """The variance of a group of which nothing is known."""
        return Variance(self.scale, self.freedom)


def common_law(groups: Sequence[Variance]) -> CommonLaw | None:
    """Return the law that the groups' true variances come from.

    Args:
        groups: At least ``LEAST_GROUPS`` estimates, else None is returned; those of 0 or without degrees of freedom are
            left out.

    Example:
        >>> common_law([Variance(2.0, 2)])
    """
    told = [one for one in groups if one.variance > 0 and one.freedom > 0]
    if len(told) < LEAST_GROUPS:
        return None
    variance, freedom = np.array([one.variance for one in told]), np.array([float(one.freedom) for one in told])
    middle, pooled = float(np.average(variance, weights=freedom)), float(freedom.sum())
    found = optimize.minimize(
        _unlikeliness,
        [0.0, math.log(4.0)],
        (variance / middle, freedom),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_FAR, _FAR), (math.log(_LEAST_FREEDOM), math.log(pooled))],
        options={"ftol": 1e-15, "gtol": 1e-9},
    )
    scale, own = (math.exp(value) for value in found.x)
    return CommonLaw(middle * scale, own, pooled)


def _unlikeliness(logs: FloatArray, variance: FloatArray, freedom: FloatArray) -> tuple[float, FloatArray]:
    """Return the negative log likelihood of estimates, and its gradient.

    Args:
        logs: Logarithms of the law's scale and degrees of freedom, shape (2,).
        variance: The estimates, shape (groups,).
        freedom: Their degrees of freedom, shape (groups,).
    """
    scale, own = np.exp(logs)
    ratio = freedom * variance / (scale * own)
    both, share = (freedom + own) / 2, ratio / (1 + ratio)
    likely = gammaln(both) - gammaln(own / 2) + freedom / 2 * np.log(ratio) - both * np.log1p(ratio)
    by_scale = both * share - freedom / 2
    by_own = (digamma(both) - digamma(own / 2) - np.log1p(ratio)) / 2 + (both * share - freedom / 2) / own
    return -float(likely.sum()), -np.array([by_scale.sum(), own * by_own.sum()])
