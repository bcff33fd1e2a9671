"""Intervals over raters and videos: cases by hand, and both kinds of clusters counted."""

import numpy as np
import pytest
from scipy import stats

from foleybench.stats.crossed import Crossing, crossed_rate, crossed_spread
from foleybench.stats.rates import clopper_pearson


def test_variance_by_hand():
    """Two raters, two videos, one vote each: sums over raters 3 and -3, over videos 1 and -1, alone 2, 1, -1, -2."""
    crossing = Crossing.of(["a", "a", "b", "b"], ["x", "y", "x", "y"])
    change = np.array([2.0, 1.0, -1.0, -2.0])
    raters, videos, both = (9 + 9) * 2, (1 + 1) * 2, (4 + 1 + 1 + 4) * 4 / 3
    spread = crossed_spread(change, crossing)
    assert spread.variance == pytest.approx(max(raters + videos - both, raters))
    assert spread.freedom == pytest.approx((raters + videos) ** 2 / (raters**2 + videos**2))
    assert spread.half_width == pytest.approx(np.sqrt(raters) * stats.t.ppf(0.975, spread.freedom))
    assert spread.p_value(6.0) == pytest.approx(2 * stats.t.sf(6.0 / np.sqrt(raters), spread.freedom))
    assert crossed_spread(change, crossing, least=100.0).variance == 100.0


def test_raters_who_differ_widen_the_interval_and_so_do_videos():
    rng = np.random.default_rng(0)
    names = [(f"r{r}", f"v{v}") for r in range(8) for v in range(8)]
    crossing = Crossing.of(*zip(*names, strict=True))
    kind = rng.permutation(np.repeat([0.0, 1.0], 4))
    wide = {
        "raters": np.array([kind[int(r[1:])] for r, _ in names]),
        "videos": np.array([kind[int(v[1:])] for _, v in names]),
        "neither": rng.permutation(np.repeat([0.0, 1.0], 32)),
    }
    widths = {}
    for name, hits in wide.items():
        share, (low, high) = crossed_rate(hits, crossing)
        assert share == 0.5
        assert low < 0.5 < high
        widths[name] = high - low
    assert widths["raters"] == pytest.approx(widths["videos"])
    assert widths["raters"] > 2 * widths["neither"]


def test_votes_all_alike_count_as_their_clusters():
    crossing = Crossing.of(["a", "a", "b", "b", "c", "c"], ["x", "y"] * 3)
    share, interval = crossed_rate(np.ones(6), crossing)
    assert share == 1.0
    assert interval == clopper_pearson(2, 2, 0.95)  # two videos


@pytest.mark.parametrize("names", [(["a", "a"], ["x", "y"]), (["a", "b"], ["x", "x"])])
def test_one_rater_or_one_video_has_no_interval(names):
    share, interval = crossed_rate(np.array([1.0, 0.0]), Crossing.of(*names))
    assert (share, interval) == (0.5, None)
    assert crossed_spread(np.array([1.0, -1.0]), Crossing.of(*names)).p_value(1.0) is None


def test_chosen_votes_are_numbered_anew():
    crossing = Crossing.of(["a", "b", "c"], ["x", "x", "y"]).chosen(np.array([0, 2]))
    assert (crossing.n_raters, crossing.n_videos) == (2, 2)
