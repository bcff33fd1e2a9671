"""What each video adds to a value: the jackknife against the exact influence, groups, undefined values."""

import numpy as np
import pytest

from foleybench.stats import influence
from foleybench.stats.influence import of_videos, source_groups
from foleybench.stats.pools import Ratio

RATIO = Ratio("a")


def slow_mean(stats):
    return float(np.mean([stat["a"] for stat in stats])) if stats else float("nan")


def made(sizes, seed=0):
    rng = np.random.default_rng(seed)
    ids = [f"v{video:03d}_{clip:03d}" for video, size in enumerate(sizes) for clip in range(size)]
    stats = [{"a": np.array(value), "b": np.array(other)} for value, other in rng.uniform(1, 2, (len(ids), 2))]
    return stats, source_groups(ids, {clip_id: clip_id[:4] for clip_id in ids})


@pytest.mark.parametrize("sizes", [[1] * 9, [6, 1, 1, 3, 2, 1]])
def test_jackknife_of_a_mean_is_its_exact_influence(sizes):
    stats, groups = made(sizes)
    exact, found = of_videos(RATIO, stats, groups), of_videos(slow_mean, stats, groups)
    assert found.change == pytest.approx(exact.change, abs=1e-12)
    assert found.weights == pytest.approx(exact.weights)
    assert exact.weights == pytest.approx(np.array(sizes) / sum(sizes))


def test_of_very_many_videos_groups_are_left_out(monkeypatch):
    monkeypatch.setattr(influence, "MOST_GROUPS", 10)
    stats, groups = made([1] * 37)
    found = of_videos(slow_mean, stats, groups)
    assert len(found.change) == 10
    assert found.weights.sum() == pytest.approx(1.0)
    exact = of_videos(RATIO, stats, groups)
    assert found.change == pytest.approx([exact.change[first::10].sum() for first in range(10)], abs=1e-12)


def test_a_value_that_one_video_alone_defines_has_none():
    stats, groups = made([1] * 5)
    assert of_videos(lambda some: 1.0 if len(some) == 5 else float("nan"), stats, groups) is None


def test_clips_come_together_by_video_in_sorted_order():
    groups = source_groups(["b", "a", "c"], {"a": "two", "b": "one", "c": "two"})
    assert [members.tolist() for members in groups] == [[0], [1, 2]]
