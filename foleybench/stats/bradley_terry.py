"""Bradley-Terry scores of systems from votes between pairs.

System i is preferred to j with the odds ``exp(score_i - score_j)``; scores have the mean 0. A tie is half a vote for
either. To every pair that was compared, 1 / (number of systems) votes are added for either side: it keeps the score of
a system that won all its votes finite, and for two systems it is Jeffreys' half vote. ``choix`` finds the maximum.

Sources: Bradley and Terry, Biometrika 39, 1952; Firth, "Bias reduction of maximum likelihood estimates", Biometrika 80,
1993; Maystre and Grossglauser, "Fast and Accurate Inference of Plackett-Luce Models", NeurIPS 2015 (choix).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foleybench.clips import FloatArray, IntArray
from foleybench.errors import FoleyError
from foleybench.runtime.extras import require_package

BoolArray = npt.NDArray[np.bool_]
_MOST_STEPS = 10_000


class Duels(NamedTuple):
    """Votes between two systems each.

    Attributes:
        first: Number of one system, from 0, shape (n,).
        second: Number of the other, shape (n,).
        hits: 1 where the first was preferred, 0 where the second was, 0.5 for a tie, shape (n,).
    """

    first: IntArray
    second: IntArray
    hits: FloatArray


class FittedScores(NamedTuple):
    """What votes say of systems.

    Attributes:
        scores: Natural logarithm of odds, mean 0, shape (systems,).
        change: First-order change of every score with each vote, shape (votes, systems).
        model: Covariance of the scores were all votes independent, shape (systems, systems).
    """

    scores: FloatArray
    change: FloatArray
    model: FloatArray


def fit_scores(duels: Duels, n_systems: int) -> FittedScores:
    """Return the Bradley-Terry scores of systems.

    Args:
        duels: The votes.
        n_systems: How many systems there are; each must be linked to each other by votes.

    Raises:
        FoleyError: choix is not installed, or some systems were never compared, not even through others.
    """
    wins = _wins(duels, n_systems)
    played = wins + wins.T > 0
    _require_linked(played)
    prior = played / n_systems
    scores = _maximum(wins + prior)
    chance = _chance(scores[:, None] - scores[None, :])
    weights = (wins + wins.T + 2 * prior) * chance * (1 - chance)
    inverse = np.asarray(np.linalg.pinv(np.diag(weights.sum(axis=1)) - weights), dtype=np.float64)
    missed = duels.hits - chance[duels.first, duels.second]
    change = missed[:, None] * (inverse[duels.first] - inverse[duels.second])
    return FittedScores(scores, change, inverse * _dispersion(wins + prior, duels.hits, chance, weights))


def _wins(duels: Duels, n: int) -> FloatArray:
    wins = np.zeros((n, n))
    np.add.at(wins, (duels.first, duels.second), duels.hits)
    np.add.at(wins, (duels.second, duels.first), 1 - duels.hits)
    return wins


def _require_linked(played: BoolArray) -> None:
    from scipy.sparse.csgraph import connected_components

    n, _ = connected_components(played, directed=False)
    if n > 1:
        raise FoleyError(
            f"the systems fall into {n} groups that no vote compares, so they have no common scale. "
            "Add votes between the groups, or look at each on its own. If two systems are the real audio and what "
            "it is checked against, name them as --reference and --anchor."
        )


def _maximum(wins: FloatArray) -> FloatArray:
    require_package("choix", "A Bradley-Terry score")
    import choix

    found = choix.ilsr_pairwise_dense(wins, max_iter=_MOST_STEPS)
    return np.asarray(found - np.mean(found), dtype=np.float64)


def _chance(difference: FloatArray) -> FloatArray:
    from scipy.special import expit

    return np.asarray(expit(difference), dtype=np.float64)


def _dispersion(wins: FloatArray, hits: FloatArray, chance: FloatArray, weights: FloatArray) -> float:
    """Return how much less votes scatter than ones and zeros would: ties lie in the middle. At most 1."""
    scattered = float(np.sum(wins * (1 - chance) ** 2)) - float(np.sum(hits * (1 - hits)))
    return min(1.0, scattered / (float(np.sum(weights)) / 2))


def win_rates(fitted: FittedScores) -> tuple[FloatArray, FloatArray]:
    """Return how often each system is preferred to one of the others drawn at random, and how it moves with each vote.

    Returns:
        Rates in 0 .. 1, shape (systems,), and the change of their log odds with each vote, shape (votes, systems).
    """
    others = len(fitted.scores) - 1
    chance = _chance(fitted.scores[:, None] - fitted.scores[None, :])
    np.fill_diagonal(chance, 0.0)
    rates = chance.sum(axis=1) / others
    slopes = chance * (1 - chance) / others
    moved = fitted.change * slopes.sum(axis=1) - fitted.change @ slopes.T
    return rates, moved / (rates * (1 - rates))


def win_rate_model(fitted: FittedScores) -> FloatArray:
    """Return the variance of the log odds of each win rate were all votes independent, shape (systems,)."""
    others = len(fitted.scores) - 1
    chance = _chance(fitted.scores[:, None] - fitted.scores[None, :])
    np.fill_diagonal(chance, 0.0)
    rates = chance.sum(axis=1) / others
    slopes = chance * (1 - chance) / others
    gradient = (np.diag(slopes.sum(axis=1)) - slopes) / (rates * (1 - rates))[:, None]
    return np.asarray(np.einsum("ij,jk,ik->i", gradient, fitted.model, gradient))
