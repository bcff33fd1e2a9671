"""Tell which differences clips and seeds can find."""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy import stats as distributions

from foleybench.reproduce.measure import Difference
from foleybench.stats.intervals import LEVEL

MOST_SEEDS = 1000


def smallest_found(difference: Difference) -> float | None:
    """Return the true difference that a pair with this standard error is found to have with 80 % power.

    Two-sided at 5 %, not corrected; None when the difference has no standard error.
    """
    if difference.error is None:
        return None
    return _errors_apart(difference.freedom) * difference.error


def _errors_apart(freedom: float) -> float:
    """Return how many standard errors a true difference has that is found with 80 % power."""
    return float(distributions.t.ppf([0.5 + LEVEL / 2, 0.8], freedom).sum())


class Needed(NamedTuple):
    """How many clips and seeds find a true difference with 80 % power (two-sided at 5 %, not corrected).

    Attributes:
        clips: Number of clips; infinite where not even ``MOST_SEEDS`` seeds are enough.
        seeds: Training seeds; None when the variance between seeds is not known, and ``clips`` is for these networks.
    """

    clips: float
    seeds: float | None


def clips_and_seeds_needed(difference: Difference, margin: float, n_clips: int, n_seeds: int) -> Needed | None:
    """Return how many clips and seeds find a true difference of the margin; None when there is no standard error.

    The fewest seeds whose part is at most half of the allowed variance, then the clips that fill the rest.

    Args:
        difference: On ``n_clips`` clips and ``n_seeds`` seeds.
        margin: The true difference.
        n_clips: Number of clips.
        n_seeds: Number of seeds.
    """
    if not difference.error:
        return None
    by_clips = max(0.0, difference.error**2 - (difference.by_seeds or 0.0))
    if not difference.by_seeds:
        alone = n_clips * by_clips / (margin / _errors_apart(math.inf)) ** 2
        return Needed(alone, None if difference.by_seeds is None else 1)
    of_one = difference.by_seeds * n_seeds
    for n in range(2, MOST_SEEDS + 1):
        # Half of the variance has n - 1 degrees of freedom and those of the law; the clips know theirs well.
        allowed = (margin / _errors_apart(4.0 * (n - 1 + difference.law_freedom))) ** 2
        if 2 * of_one / n <= allowed:
            return Needed(n_clips * by_clips / (allowed - of_one / n), n)
    return Needed(math.inf, math.inf)
