"""Ridge regression: the closed form, columns that hardly vary, parts."""

import pytest
import torch

from foleymodels._parts.ridge import fit_ridge


def test_ridge_is_the_closed_form_of_one_batch():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(500, 6, generator=generator) * torch.tensor([1.0, 3.0, 0.2, 5.0, 1.0, 2.0]) + 1.5
    y = x @ torch.randn(6, 2, generator=generator) + 0.1 * torch.randn(500, 2, generator=generator)
    fitted = fit_ridge([(x[:130], y[:130]), (x[130:], y[130:])], 0.05)
    z = ((x - x.mean(0)) / x.std(0, correction=0)).double()
    want = torch.linalg.solve(z.T @ z / 500 + 0.05 * torch.eye(6).double(), z.T @ (y - y.mean(0)).double() / 500)
    torch.testing.assert_close(fitted.weights.double(), want, atol=1e-4, rtol=1e-4)
    assert (fitted(x) - y).square().mean() < 0.1 * y.var()


def test_ridge_keeps_columns_far_from_zero_that_hardly_vary():
    generator = torch.Generator().manual_seed(0)
    small = torch.randn(400, 1, generator=generator)
    x = torch.cat([200.0 + 0.02 * small, 100.0 * torch.randn(400, 3, generator=generator)], 1)
    fitted = fit_ridge([(x[:200], small[:200]), (x[200:], small[200:])], 0.001)
    assert (fitted(x) - small).square().mean() < 0.01


def test_ridge_outlives_a_constant_column():
    x = torch.cat([torch.randn(50, 2), torch.ones(50, 1)], 1)
    fitted = fit_ridge([(x, x[:, :1])], 0.01)
    assert torch.isfinite(fitted(x)).all()


@pytest.mark.parametrize(("least", "weight"), [(0.001, 1.0), (0.1, 0.01)])
def test_a_column_counts_as_varying_by_the_least_spread(least, weight):
    """A column of deviation 0.01 with a spread of 0.1 has a variance of 0.01 beside a penalty of 1."""
    x = torch.tensor([-0.01, 0.01]).repeat(50)[:, None]
    fitted = fit_ridge([(x, x)], 1.0, least_spread=least)
    assert fitted.weights.item() == pytest.approx(0.01 * weight**0.5 / (1.0 + weight), rel=1e-4)
