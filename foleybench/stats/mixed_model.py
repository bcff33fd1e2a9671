"""Fit a linear mixed model, and test contrasts of its means.

Values share systems, clips and sets, so that they are not independent: each random effect adds a variance to all values
that share it. Variances are found by restricted maximum likelihood (REML); a contrast is tested by Student's t with
Satterthwaite's degrees of freedom, since the variances rest on few sets. ``benchmarks/mixed_model_errors.py`` measures
how often such tests are wrong.

Sources: Patterson and Thompson, Biometrika 58, 1971; Fai and Cornelius, Journal of Statistical Computation and
Simulation 54, 1996, for the degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize, special
from scipy.sparse import csgraph

from foleybench.clips import FloatArray
from foleybench.stats.intervals import LEVEL, Interval

# Variances are sought between these shares of the variance of all values.
_LEAST, _MOST = 1e-6, 10.0
# Where the search begins: shares for the residual, and for all random effects together.
_STARTS = ((0.5, 0.5), (0.9, 0.1))


class Contrast(NamedTuple):
    """A weighted sum of fixed effects.

    Attributes:
        value: Its estimate.
        error: Its standard error.
        freedom: Degrees of freedom of the standard error (Satterthwaite), at least 1.
    """

    value: float
    error: float
    freedom: float

    @property
    def interval(self) -> Interval:
        """The 95 % interval."""
        reach = self.error * float(special.stdtrit(self.freedom, 0.5 + LEVEL / 2))
        return Interval(self.value - reach, self.value + reach)

    @property
    def p_value(self) -> float:
        """The two-sided p-value of a truth of 0, not corrected for other contrasts."""
        return float(2 * special.stdtr(self.freedom, -abs(self.value) / self.error))


class MixedModel(NamedTuple):
    """A fitted model.

    Attributes:
        effects: Fixed effects, shape (p,).
        covariance: Of the fixed effects, shape (p, p).
        variances: Of the residual, then of each random effect, shape (k + 1,).
        slopes: By how much ``covariance`` grows with each variance, shape (k + 1, p, p).
        doubt: Covariance of the estimated variances, shape (k + 1, k + 1).
    """

    effects: FloatArray
    covariance: FloatArray
    variances: FloatArray
    slopes: FloatArray
    doubt: FloatArray

    def contrast(self, weights: FloatArray) -> Contrast:
        """Return a weighted sum of the fixed effects.

        Args:
            weights: Shape (p,).
        """
        variance = float(weights @ self.covariance @ weights)
        slope = np.einsum("i,kij,j->k", weights, self.slopes, weights)
        spread = float(slope @ self.doubt @ slope)
        freedom = 2 * variance**2 / spread if spread > 0 else np.inf
        return Contrast(float(weights @ self.effects), float(np.sqrt(variance)), max(1.0, freedom))


class _Block(NamedTuple):
    """Lines that share no random effect with others: their covariance can be inverted alone."""

    values: FloatArray
    design: FloatArray
    alike: FloatArray


class _State(NamedTuple):
    """What follows from given variances: of each block the inverse covariance, and that times the design."""

    inverses: list[FloatArray]
    weighted: list[FloatArray]
    covariance: FloatArray
    effects: FloatArray
    log_determinants: float


def fit_mixed(values: FloatArray, design: FloatArray, groups: Sequence[Sequence[str]]) -> MixedModel:
    """Fit the model.

    statsmodels' MixedLM, which works through the inverse of each variance, gives the same numbers where all variances
    are above zero, and errors ten times too small where one is zero.

    Args:
        values: Shape (n,).
        design: Of the fixed effects, shape (n, p), of full rank.
        groups: For each random effect the group of each line, (n,) names; lines of one group share the effect.
    """
    blocks = _blocks(values, design, [np.asarray(group) for group in groups])
    spread = float(np.var(values))
    bounds = [(np.log(_LEAST * spread), np.log(_MOST * spread))] * (1 + len(groups))
    starts = [np.log(spread * np.array([rest, *[some / len(groups)] * len(groups)])) for rest, some in _STARTS]
    tried = [
        optimize.minimize(
            lambda logs: _deviance(np.exp(logs), blocks), start, jac=True, method="L-BFGS-B", bounds=bounds
        )
        for start in starts
    ]
    best = min(tried, key=lambda one: float(one.fun))
    return _fitted(np.exp(best.x), blocks)


def _blocks(values: FloatArray, design: FloatArray, groups: Sequence[npt.NDArray[np.str_]]) -> list[_Block]:
    alike = np.stack([np.eye(len(values)), *((group[:, None] == group).astype(float) for group in groups)])
    n, labels = csgraph.connected_components(alike.sum(axis=0))
    chosen = [np.flatnonzero(labels == label) for label in range(n)]
    return [_Block(values[lines], design[lines], alike[:, lines][:, :, lines]) for lines in chosen]


def _state(variances: FloatArray, blocks: Sequence[_Block]) -> _State:
    factors = [linalg.cholesky(np.tensordot(variances, block.alike, axes=1), lower=True) for block in blocks]
    inverses = [linalg.cho_solve((factor, True), np.eye(len(factor))) for factor in factors]
    weighted = [inverse @ block.design for inverse, block in zip(inverses, blocks, strict=True)]
    information = sum(block.design.T @ one for block, one in zip(blocks, weighted, strict=True))
    covariance = linalg.inv(information)
    effects = covariance @ sum(one.T @ block.values for block, one in zip(blocks, weighted, strict=True))
    of_blocks = 2 * sum(np.log(np.diag(factor)).sum() for factor in factors)
    return _State(inverses, weighted, covariance, effects, float(of_blocks + np.linalg.slogdet(information)[1]))


def _deviance(variances: FloatArray, blocks: Sequence[_Block]) -> tuple[float, FloatArray]:
    """Return minus twice the restricted log likelihood, and its slope by the logarithm of each variance."""
    state = _state(variances, blocks)
    deviance, slope = state.log_determinants, np.zeros(len(variances))
    for block, inverse, weighted in zip(blocks, state.inverses, state.weighted, strict=True):
        deviation = block.values - block.design @ state.effects
        rest = inverse @ deviation
        deviance += float(deviation @ rest)
        within = weighted.T @ block.alike @ weighted
        slope += np.einsum("kij,ij->k", block.alike, inverse) - np.einsum("kij,ij->k", within, state.covariance)
        slope -= np.einsum("i,kij,j->k", rest, block.alike, rest)
    return deviance, variances * slope


def _fitted(variances: FloatArray, blocks: Sequence[_Block]) -> MixedModel:
    state = _state(variances, blocks)
    pairs = list(zip(blocks, state.weighted, strict=True))
    within = sum(weighted.T @ block.alike @ weighted for block, weighted in pairs)
    weighted = np.concatenate(state.weighted)
    projected = np.asarray(linalg.block_diag(*state.inverses)) - weighted @ state.covariance @ weighted.T
    alike = [np.asarray(linalg.block_diag(*(block.alike[k] for block in blocks))) for k in range(len(variances))]
    seen = [projected @ one for one in alike]
    # Expected information on the variances, which also counts one that is estimated as zero.
    known = 0.5 * np.array([[np.vdot(one.T, other) for other in seen] for one in seen])
    slopes = state.covariance @ within @ state.covariance
    return MixedModel(state.effects, state.covariance, variances, slopes, np.asarray(linalg.pinvh(known)))
