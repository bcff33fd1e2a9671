"""Masks of training: shares, distributions, and independence of the number of processes."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from foleymodels._codes.masks import (
    bernoulli_mask,
    cosine_masks,
    cosine_ratios,
    exact_mask,
    high_ratio_masks,
    truncated_normal,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_an_exact_mask_has_its_share_rounded_up():
    ratios = torch.tensor([0.0, 0.24, 0.26, 0.5, 1.0])
    masks = exact_mask(ratios, (5, 4, 2), seeded())
    assert masks.flatten(1).sum(1).tolist() == [1, 2, 3, 4, 8]
    assert masks.dtype == torch.bool


def test_every_code_is_masked_as_often():
    masks = exact_mask(torch.full((4000,), 0.25), (4000, 4, 2), seeded()).float().mean(0)
    assert torch.allclose(masks, torch.full((4, 2), 0.25), atol=0.03)


def test_cosine_ratios_have_the_cosines_distribution():
    found = cosine_ratios(4000, seeded())
    assert float(found.mean()) == pytest.approx(2 / math.pi, abs=0.02)
    quantiles = torch.quantile(found, torch.tensor([0.25, 0.5, 0.75])).tolist()
    assert quantiles == pytest.approx([math.cos(math.pi / 2 * u) for u in (0.75, 0.5, 0.25)], abs=0.03)
    shares = cosine_masks((2000, 10, 2), seeded()).flatten(1).float().mean(1)
    assert float(shares.mean()) == pytest.approx(2 / math.pi + 0.5 / 20, abs=0.03)


def test_truncated_normal_numbers_agree_with_scipy():
    mean, spread, low, high = 0.55, 0.25, 0.5, 1.0
    found = truncated_normal(5000, seeded(), mean=mean, spread=spread, low=low, high=high).numpy()
    theirs = stats.truncnorm((low - mean) / spread, (high - mean) / spread, loc=mean, scale=spread)
    assert found.min() >= low
    assert found.max() <= high
    assert stats.kstest(found, theirs.cdf).pvalue > 0.01
    assert found.mean() == pytest.approx(theirs.mean(), abs=0.01)


def test_bernoulli_masks_mask_every_code_by_itself():
    masks = bernoulli_mask(torch.tensor([0.5, 1.0]), (2, 500, 4), seeded())
    assert float(masks[0].float().mean()) == pytest.approx(0.5, abs=0.03)
    assert bool(masks[1].all())
    counts = bernoulli_mask(torch.full((300,), 0.5), (300, 50, 2), seeded()).flatten(1).sum(1).float()
    assert float(counts.std()) == pytest.approx(math.sqrt(100 * 0.25), rel=0.15), "not the same number in each"


def test_high_ratio_masks_cover_half_and_more():
    shares = high_ratio_masks((400, 100, 4), seeded()).flatten(1).float().mean(1).numpy()
    assert shares.min() > 0.4
    assert np.mean(shares) == pytest.approx(stats.truncnorm(-0.2, 1.8, loc=0.55, scale=0.25).mean(), abs=0.02)
    assert shares.std() > 0.08, "each example has a ratio of its own"
