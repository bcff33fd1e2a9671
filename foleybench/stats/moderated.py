"""Moderate variances that each rest on few values.

Two or three values can lie close together by luck, and then their variance says that they hardly vary. Where many
groups have such a variance, their true ones are taken to come from a scaled inverse chi-squared law, whose scale and
degrees of freedom follow from how much the logarithms of the variances differ; each group's variance is then drawn
towards that scale, and knows as much more as the law has degrees of freedom. Where they differ no more than by chance,
all groups share the pooled variance.

Source: Smyth 2004, "Linear models and empirical Bayes methods for assessing differential expression in microarray
experiments", section 6.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize
from scipy.special import digamma, polygamma

LEAST_GROUPS = 3


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
        scale: The law's scale, or the one variance of all groups, pooled.
        freedom: Its degrees of freedom, or those of the pooled variance.
        equal: Whether the estimates differ no more than by chance, and all groups have one variance.
    """

    scale: float
    freedom: float
    equal: bool

    def moderate(self, own: Variance) -> Variance:
        """Return a group's variance drawn towards the scale, each weighted by its degrees of freedom.

        Example:
            >>> CommonLaw(4.0, 4, False).moderate(Variance(1.0, 2))
            Variance(variance=3.0, freedom=6)
        """
        if self.equal:
            return self.alone
        freedom = own.freedom + self.freedom
        return Variance((own.freedom * own.variance + self.freedom * self.scale) / freedom, freedom)

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
    variance, half = np.array([one.variance for one in told]), np.array([one.freedom / 2 for one in told])
    logs = np.log(variance) - digamma(half) + np.log(half)
    excess = float(logs.var(ddof=1) - polygamma(1, half).mean())
    if excess <= 0:
        return CommonLaw(float(np.average(variance, weights=half)), float(2 * half.sum()), equal=True)
    own_half = _inverse_trigamma(excess)
    scale = float(np.exp(logs.mean() + digamma(own_half) - np.log(own_half)))
    return CommonLaw(scale, 2 * own_half, equal=False)


def _inverse_trigamma(value: float) -> float:
    """Return where the trigamma function has a positive value."""
    # It lies between 1 / x and 1 / x + 1 / x^2.
    high = 1 / value + 1 / math.sqrt(value) + 1
    bracket = 1e-3 * min(1.0, high), high
    return float(optimize.root_scalar(lambda x: float(polygamma(1, x)) - value, bracket=bracket).root)
