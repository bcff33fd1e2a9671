"""The median distance by products is the one that sorting all distances gives, to the bit."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from foleybench.metrics._math import median_distance as module
from foleybench.metrics._math.median_distance import median_distance


def sorted_out(rows):
    distances = np.sort(pdist(rows))
    return float(distances[(len(distances) - 1) // 2])


def made(kind, n, d):
    rng = np.random.default_rng([n, d])
    rows = rng.standard_normal((n, d))
    return {
        "around zero": lambda: rows,
        "far from zero": lambda: rows + 1e4,
        "a long tail": lambda: np.exp(3 * rows).astype(np.float32),
        "each three times": lambda: rows[rng.integers(n // 3, size=n)],
        "two far groups": lambda: rows + 1e3 * (np.arange(n) < n // 2)[:, None],
        "whole numbers": lambda: np.round(rows),
        "all equal": lambda: np.ones_like(rows),
        "one-hot": lambda: np.eye(d)[rng.integers(d, size=n)],
    }[kind]()


@pytest.fixture
def all_of_them(monkeypatch):
    """How often all distances were computed."""
    counted = []
    monkeypatch.setattr(module, "pdist", lambda rows: counted.append(len(rows)) or pdist(rows))
    return counted


@pytest.mark.parametrize(("n", "d"), [(257, 3), (600, 32), (1100, 128)])
@pytest.mark.parametrize("kind", ["around zero", "far from zero", "a long tail", "each three times"])
def test_of_pairs_that_differ_only_the_middle_ones_are_measured(kind, n, d, all_of_them):
    rows = made(kind, n, d)
    assert median_distance(rows) == sorted_out(np.asarray(rows, dtype=np.float64))
    assert max(all_of_them) == 2
    assert len(all_of_them) < 100


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 4), (256, 8), (300, 1), (600, 8), (600, 64)])
@pytest.mark.parametrize("kind", ["whole numbers", "all equal", "one-hot", "two far groups", "around zero"])
def test_ties_and_small_sets(kind, n, d):
    rows = made(kind, n, d)
    assert median_distance(rows) == sorted_out(rows)


def test_a_search_that_misses_measures_all(monkeypatch, all_of_them):
    rows = made("around zero", 400, 8)
    monkeypatch.setattr(module, "_guess", lambda *_: (0.0, 1e-3))
    assert median_distance(rows) == sorted_out(rows)
    assert all_of_them == [400]


def test_of_very_many_rows_some_are_taken(monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 300)
    rows = made("around zero", 1000, 4)
    taken = rows[np.linspace(0, 999, 300).round().astype(int)]
    assert median_distance(rows) == sorted_out(taken)


@pytest.mark.slow
def test_it_is_faster_than_all_of_them():
    rows = made("around zero", 4000, 768)
    start = time.process_time()
    found = median_distance(rows)
    ours = time.process_time() - start
    assert found == sorted_out(rows)
    assert ours < (time.process_time() - start - ours) / 2  # measured 6
