"""``benchmarks/what_features_tell.py``: its measures by hand, and ridge regression that finds what is there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.what_features_tell import Read, area, measure, pooled, read_out, share_found, top_right


def test_the_area_is_the_share_of_pairs_in_order_and_a_tie_is_half():
    scores = np.array([[0.1], [0.4], [0.4], [0.9]])
    assert area(scores, np.array([[0.0], [1.0], [0.0], [1.0]])) == pytest.approx(3.5 / 4)


def test_a_name_that_all_clips_have_or_none_counts_in_no_area():
    scores = np.array([[0.2, 0.9, 0.1], [0.8, 0.1, 0.2]])
    assert area(scores, np.array([[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]])) == 1.0


def test_top_right_asks_whether_the_highest_name_sounds_in_the_clip():
    scores = np.array([[0.7, 0.2, 0.6], [0.1, 0.3, 0.2]])
    assert top_right(scores, np.array([[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]])) == 0.5


def test_a_clip_is_mean_spread_and_maximum_over_time():
    np.testing.assert_allclose(pooled(torch.tensor([[1.0, 0.0], [3.0, 4.0]])), [2, 2, 2**0.5, 8**0.5, 3, 4], rtol=1e-6)


def test_what_is_in_the_features_is_read_and_shuffled_features_tell_nothing():
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, 600)
    features = rng.normal(0, 0.3, (600, 8))
    features[:, :3] += np.eye(3)[kinds]
    wanted = np.eye(3)[kinds]
    asked = features[300:]
    found = [
        area(read_out(features[:300], wanted[:300], given), wanted[300:]) for given in (asked, rng.permutation(asked))
    ]
    assert found[0] > 0.95
    assert found[1] == pytest.approx(0.5, abs=0.1)


def test_the_interval_of_a_line_holds_its_value():
    rng = np.random.default_rng(0)
    true = np.eye(3)[rng.integers(0, 3, 40)]
    noisy = true + rng.normal(0, 1, (40, 3))
    subjects = ("class", "mechanism", "material")
    lines = list(measure(Read(scores=dict.fromkeys(subjects, noisy), truths=dict.fromkeys(subjects, true))))
    names = ["class AUC", "class top 1", "mechanism top 1", "material AUC", "material R-precision"]
    assert [line.rsplit(" ", 3)[0] for line in lines] == names
    for line in lines:
        value, low, high = (float(word.strip("[],")) for word in line.split()[-3:])
        assert low < value < high


def test_what_is_found_is_counted_among_as_many_names_as_sound():
    """Of two that sound one is among the two highest, the one of the second clip is; nothing sounds in the last."""
    scores = np.array([[3.0, 2.0, 1.0], [0.5, 0.0, 0.1], [1.0, 2.0, 3.0]])
    true = np.array([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert share_found(scores, true) == pytest.approx(2 / 3)
    assert share_found(true, true) == 1
    assert share_found(-true, true) == pytest.approx(1 / 3)
