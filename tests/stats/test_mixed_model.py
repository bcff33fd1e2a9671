"""``mixed_model``: against closed forms in balanced designs, and against plain formulas in an unbalanced one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from foleybench.stats.mixed_model import Contrast, fit_mixed


def test_one_random_effect_in_a_balanced_design_has_the_error_of_the_textbook():
    """Block means of a one-way random model: the error of the mean is the spread of block means over root n."""
    draw = np.random.default_rng(0)
    blocks = np.repeat(np.arange(30), 4)
    values = 2.0 + draw.normal(0, 1.0, 30)[blocks] + draw.normal(0, 0.5, 120)
    mean = fit_mixed(values, np.ones((120, 1)), [blocks.astype(str)]).contrast(np.ones(1))
    of_blocks = values.reshape(30, 4).mean(axis=1)
    assert mean.value == pytest.approx(values.mean(), abs=1e-6)
    assert mean.error == pytest.approx(of_blocks.std(ddof=1) / np.sqrt(30), rel=1e-3)
    assert mean.freedom == pytest.approx(29, rel=1e-2)


def test_a_difference_within_blocks_has_the_t_test_of_the_textbook():
    """Randomised blocks: the error of a difference comes from the residual, with (n - 1)(k - 1) degrees of freedom."""
    draw = np.random.default_rng(1)
    blocks, treatments = np.repeat(np.arange(12), 3), np.tile(np.arange(3), 12)
    values = draw.normal(0, 2.0, 12)[blocks] + 0.4 * treatments + draw.normal(0, 0.5, 36)
    design = np.eye(3)[treatments]
    table = values.reshape(12, 3)
    rest = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    found = fit_mixed(values, design, [blocks.astype(str)]).contrast(np.array([-1.0, 0.0, 1.0]))
    assert found.value == pytest.approx(table[:, 2].mean() - table[:, 0].mean())
    assert found.error == pytest.approx(np.sqrt(2 * (rest**2).sum() / 22 / 12), rel=1e-3)
    assert found.freedom == pytest.approx(22, rel=1e-2)


def test_the_p_value_is_below_5_percent_where_the_interval_leaves_out_0():
    clear, near = Contrast(2.6, 1.0, 5.0), Contrast(2.5, 1.0, 5.0)  # the quantile of 5 degrees of freedom is 2.571
    assert clear.p_value < 0.05 < near.p_value
    assert clear.interval.low > 0 > near.interval.low
    assert near.interval.high == pytest.approx(2.5 + 2.5706, abs=1e-3)


@pytest.fixture(scope="module")
def unbalanced():
    draw = np.random.default_rng(2)
    outer = np.repeat(np.arange(6), [4, 7, 3, 6, 5, 5])
    inner = draw.integers(0, 3, 30) + 3 * outer
    design = np.eye(3)[draw.integers(0, 3, 30)]
    values = draw.normal(0, 0.7, 6)[outer] + draw.normal(0, 0.4, 18)[inner] + draw.normal(0, 0.5, 30)
    return values, design, [outer.astype(str), inner.astype(str)]


def plainly(variances, values, design, groups):
    """Minus twice the restricted log likelihood, and the covariance of the effects, by the formulas as printed."""
    whole = variances[0] * np.eye(len(values))
    for variance, group in zip(variances[1:], groups, strict=True):
        whole = whole + variance * (group[:, None] == group)
    inverse = np.linalg.inv(whole)
    information = design.T @ inverse @ design
    rest = values - design @ np.linalg.solve(information, design.T @ inverse @ values)
    deviance = np.linalg.slogdet(whole)[1] + np.linalg.slogdet(information)[1] + rest @ inverse @ rest
    return deviance, np.linalg.inv(information)


def test_the_variances_are_where_the_restricted_likelihood_is_highest(unbalanced):
    found = fit_mixed(*unbalanced)
    searched = optimize.minimize(
        lambda logs: plainly(np.exp(logs), *unbalanced)[0], np.log([0.3, 0.3, 0.3]), method="Nelder-Mead"
    )
    assert plainly(found.variances, *unbalanced)[0] <= searched.fun + 1e-6
    assert found.covariance == pytest.approx(plainly(found.variances, *unbalanced)[1])


def test_degrees_of_freedom_follow_from_how_sharp_the_variances_are(unbalanced):
    """Satterthwaite by finite differences: 2 v^2 / (g' A g), A from the second differences' expectation."""
    found = fit_mixed(*unbalanced)
    weights = np.array([1.0, -1.0, 0.0])
    steps = 1e-4 * np.eye(3)
    slope = [
        weights
        @ (plainly(found.variances + h, *unbalanced)[1] - plainly(found.variances - h, *unbalanced)[1])
        @ weights
        for h in steps
    ]
    slope = np.array(slope) / 2e-4
    _, design, groups = unbalanced
    alike = [np.eye(30), *((group[:, None] == group).astype(float) for group in groups)]
    inverse = np.linalg.inv(sum(v * one for v, one in zip(found.variances, alike, strict=True)))
    projected = inverse - inverse @ design @ plainly(found.variances, *unbalanced)[1] @ design.T @ inverse
    known = [[0.5 * np.trace(projected @ one @ projected @ other) for other in alike] for one in alike]
    variance = weights @ found.covariance @ weights
    expected = 2 * variance**2 / (slope @ np.linalg.inv(known) @ slope)
    assert found.contrast(weights).freedom == pytest.approx(expected, rel=1e-4)
    assert 2 < expected < 30


def test_a_variance_that_is_estimated_as_zero_leaves_a_finite_error():
    """Blocks that differ less than chance: the other variance decides, and the tests stay those of few blocks."""
    blocks = np.repeat(np.arange(5), 4)
    values = np.tile([-1.0, 1.0, -0.5, 0.5], 5)
    mean = fit_mixed(values, np.ones((20, 1)), [blocks.astype(str)]).contrast(np.ones(1))
    assert mean.error == pytest.approx(values.std(ddof=1) / np.sqrt(20), rel=1e-2)
    assert 3 < mean.freedom < 30
