"""``benchmarks/ladder_power.py``: errors worked out by hand, pooled values, and what is told apart."""

import math

import numpy as np
import pytest

from benchmarks.ladder_power import LEVEL, POWER, Rung, rung
from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.stats.influence import LinearPool
from foleybench.stats.pools import Ratio, mean_of

NAMES = "abcdefghijklmnop"
ALONE = {name: name for name in NAMES}


def metric(pool, **facts):
    """Return a metric that pools ready statistics."""
    card = {"title": "x", "version": 1, "unit": "1", "better": "higher", "ideal": 1.0, "source": "here", "needs": {}}
    return Metric(**card | {"per_clip": lambda clip: None, "pool": pool, "undefined": "no clip has any"} | facts)


def step(**columns):
    """Return clip id -> statistics from columns of numbers."""
    rows = enumerate(zip(*columns.values(), strict=True))
    return {NAMES[i]: dict(zip(columns, map(np.array, row), strict=True)) for i, row in rows}


MEAN = metric(mean_of("x"))
F1 = metric(Ratio("tp", ("heard", "sounding"), factor=2.0, counts=True))
BEFORE = step(x=[1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
AFTER = step(x=[0.0, 0.0, 0.0, 1.0, 1.0, 1.0])


def test_the_error_of_a_mean_is_the_spread_of_the_differences():
    found = rung(MEAN, [BEFORE, AFTER], ALONE)
    assert found.values == (1.0, 0.5)
    assert found.drops == [0.5]
    # Differences of -1 (three clips) and 0 (three): squares about their mean sum to 6 / 4, over 5.
    assert found.errors == pytest.approx([math.sqrt(1.5 / 5)])
    assert found.n_clips == 6


def test_on_a_mean_influence_gives_what_the_differences_of_clips_give():
    rng = np.random.default_rng(3)
    one, two, three = (rng.normal(size=16) for _ in range(3))
    found = rung(MEAN, [step(x=one), step(x=two), step(x=three)], ALONE)
    assert found.errors == pytest.approx([np.std(two - one, ddof=1), np.std(three - two, ddof=1)])


def test_clips_of_one_video_count_as_one():
    videos = {"a": "1", "b": "1", "c": "2", "d": "3", "e": "4", "f": "5", "g": "6"}
    change = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    found = rung(MEAN, [step(x=[0.0] * 7), step(x=change)], videos)
    # Mean 2/7. Video 1 moves it by (5/7 + 5/7) / 7, each of the other five by (-2/7) / 7; six videos.
    by_videos = (10 / 49) ** 2 + 5 * (2 / 49) ** 2
    assert found.errors == pytest.approx([math.sqrt(by_videos * 6 / 5 * 7)])
    assert found.errors[0] > rung(MEAN, [step(x=[0.0] * 7), step(x=change)], ALONE).errors[0]


def test_the_error_of_f1_is_that_of_a_ratio_of_sums():
    full = step(tp=[1.0] * 6, heard=[1.0] * 6, sounding=[1.0] * 6)
    half = step(tp=[0.0, 1.0, 1.0, 1.0, 1.0, 1.0], heard=[0.0, 1.0, 1.0, 1.0, 1.0, 1.0], sounding=[1.0] * 6)
    found = rung(F1, [full, half], ALONE)
    assert found.values == pytest.approx([1.0, 10 / 11])
    # Influence on 10 / 11: the first clip (0 - 10/11 * 1) / 11, the others (2 - 10/11 * 2) / 11 = 2 / 121; none on 1.
    assert found.errors == pytest.approx([math.sqrt(((10 / 121) ** 2 + 5 * (2 / 121) ** 2) * 6 / 5 * 6)])


def test_a_distance_has_an_error_near_that_of_leaving_clips_out():
    fad = registry.load("metrics", "fad_mini")
    assert isinstance(fad.pool, LinearPool)
    rng = np.random.default_rng(0)
    names = [f"c{number:03d}" for number in range(240)]
    true = rng.normal(size=(240, 1, 2))
    mild, strong = true + 0.3 * rng.normal(size=true.shape) + 0.4, 1.5 * true + 1.0
    sides = [
        {name: {"reference": true[i], "generated": side[i]} for i, name in enumerate(names)} for side in (mild, strong)
    ]
    sources = {name: name for name in names}
    found = rung(fad, sides, sources)
    left_out = rung(metric(lambda stats: fad.pool(stats), better="lower"), sides, sources)
    assert found.values == left_out.values
    assert found.worse == 1
    assert found.errors == pytest.approx(left_out.errors, rel=0.03)
    # Drawn anew, paired: what the error is about.
    differences = []
    for draw in range(100):
        again = np.random.default_rng([1, draw])
        rows = again.normal(size=true.shape)
        pair = (rows + 0.3 * again.normal(size=rows.shape) + 0.4, 1.5 * rows + 1.0)
        a, b = (fad.pool([{"reference": r, "generated": g} for r, g in zip(rows, side, strict=True)]) for side in pair)
        differences.append(b - a)
    assert found.errors[0] / math.sqrt(240) == pytest.approx(np.std(differences), rel=0.25)


def test_a_metric_without_influence_leaves_videos_out():
    plain = metric(lambda stats: float(np.mean([stat["x"] for stat in stats])))
    assert rung(plain, [BEFORE, AFTER], ALONE).errors == pytest.approx(rung(MEAN, [BEFORE, AFTER], ALONE).errors)


def test_nothing_is_told_from_few_videos_or_undefined_values():
    few = [{name: stats[name] for name in "abcde"} for stats in (BEFORE, AFTER)]
    found = rung(MEAN, few, ALONE)
    assert math.isnan(found.errors[0])
    assert found.told_apart(10**9) == [False]
    assert math.isnan(found.smallest(200))
    undefined = rung(metric(mean_of("x"), minimum_clips=7), [BEFORE, AFTER], ALONE)
    assert np.isnan(undefined.values).all()
    assert not undefined.in_order
    assert undefined.told_apart(10**9) == undefined.surely_apart(10**9) == [False]
    assert not any(undefined.turned())


def test_only_clips_of_every_step_count():
    short = {name: AFTER[name] for name in "abcdef"} | {"g": {"x": np.array(-9.0)}}
    assert rung(MEAN, [BEFORE, short], ALONE) == rung(MEAN, [BEFORE, AFTER], ALONE)


def made(values, errors, n_clips=100, worse=-1):
    """Return a rung with these values and errors."""
    return Rung(values=tuple(values), errors=tuple(errors), worse=worse, n_clips=n_clips)


def test_a_pair_is_told_apart_from_the_clips_on_that_its_power_needs():
    found = made([1.0, 0.9], [1.0])
    n = (POWER / 0.1) ** 2
    assert found.told_apart(math.floor(n)) == [False]
    assert found.told_apart(math.ceil(n)) == [True]
    assert made([0.9, 1.0], [1.0]).told_apart(10**9) == [False]
    assert made([0.9, 1.0], [1.0], worse=1).told_apart(math.ceil(n)) == [True]
    assert found.smallest(math.ceil(n)) == pytest.approx(0.1, rel=1e-3)


def test_what_the_clips_played_do_not_show_is_not_sure():
    limit = LEVEL / math.sqrt(100)
    below, above = made([1.0, 1.0 - 0.99 * limit], [1.0]), made([1.0, 1.0 - 1.01 * limit], [1.0])
    assert below.told_apart(3000) == above.told_apart(3000) == above.surely_apart(3000) == [True]
    assert below.surely_apart(3000) == [False]
    assert above.surely_apart(100) == [False]  # shown, and yet less than a test of 100 clips finds in four of five
    assert made([1.0, 1.0 + 1.01 * limit, 1.0], [1.0, 1.0]).turned() == [True, False]
    assert made([1.0, 1.0 + 0.99 * limit, 1.0], [1.0, 1.0]).turned() == [False, False]


def test_a_pair_that_differs_in_no_clip_has_no_say_in_the_smallest_difference():
    assert made([1.0, 1.0, 0.8, 0.6], [0.0, 2.0, 4.0]).smallest(100) == pytest.approx(POWER * 0.3)
    assert math.isnan(made([1.0, 1.0], [0.0]).smallest(100))
    assert made([1.0, 1.0], [0.0]).told_apart(200) == [False]
