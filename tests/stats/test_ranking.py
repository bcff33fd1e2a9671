"""Holm's correction and shared ranks, by hand."""

import pytest

from foleybench.stats.ranking import holm, shared_ranks


def test_holm_by_hand():
    assert holm([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.04, 0.001]) == pytest.approx([0.04, 0.002])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_shared_ranks():
    values = [4.0, 3.9, 3.0, 1.0]
    same = {frozenset((0, 1)), frozenset((1, 2))}
    p = lambda i, j: 0.4 if frozenset((i, j)) in same else 0.01  # noqa: E731
    assert shared_ranks(4, lambda i, j: values[i] - values[j], p) == [(1, 2), (1, 3), (2, 3), (4, 4)]
    assert shared_ranks(4, lambda i, j: values[j] - values[i], p) == [(3, 4), (2, 4), (2, 3), (1, 1)]


def test_shared_ranks_without_a_test_are_all_shared():
    assert shared_ranks(3, lambda i, j: j - i, lambda i, j: None) == [(1, 3)] * 3
    assert shared_ranks(0, lambda i, j: 0.0, lambda i, j: None) == []


def test_direction_is_that_of_each_pair_even_where_pairs_go_round():
    """Rock, paper, scissors: each is better than one and worse than another."""
    gap = lambda i, j: 1.0 if (i - j) % 3 == 1 else -1.0  # noqa: E731
    assert shared_ranks(3, gap, lambda i, j: 0.001) == [(2, 2)] * 3
