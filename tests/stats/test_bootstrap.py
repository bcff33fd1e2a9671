"""Intervals, paired tests, Holm and ranks: known cases, invariances, and how often the interval is right."""

import numpy as np
import pytest

from foleybench.stats.bootstrap import bootstrap, clip_counts, draw_sources, paired_test, replicates, source_groups
from foleybench.stats.pools import mean_of
from foleybench.stats.ranking import holm, shared_ranks

MEAN = mean_of("x")


def slow_mean(stats):
    return float(np.mean([stat["x"] for stat in stats])) if stats else float("nan")


def ratio(stats):
    bottom = sum(float(stat["n"]) for stat in stats)
    return sum(float(stat["hit"]) for stat in stats) / bottom if bottom else float("nan")


def make(values, clips_per_source=1):
    stats = {f"v{i // clips_per_source:04d}_{i:06d}": {"x": np.array(float(v))} for i, v in enumerate(values)}
    return stats, {clip_id: clip_id.split("_")[0] for clip_id in stats}


def rng(seed=0):
    return np.random.default_rng(seed)


def test_interval_of_a_mean_is_the_textbook_one():
    values = rng(1).normal(3.0, 2.0, 400)
    stats, sources = make(values)
    low, high = bootstrap(MEAN, stats, sources, rng=rng(), resamples=4000)
    half = 1.96 * values.std(ddof=1) / 20
    assert low == pytest.approx(values.mean() - half, abs=0.03)
    assert high == pytest.approx(values.mean() + half, abs=0.03)


def test_two_sources_give_the_three_possible_means():
    stats, sources = make([0.0, 1.0])
    interval = bootstrap(MEAN, stats, sources, rng=rng(), resamples=500)
    assert interval == (0.0, 1.0)
    assert bootstrap(MEAN, stats, sources, rng=rng(), resamples=500, level=0.0) == (0.5, 0.5)


@pytest.mark.parametrize("pool", [MEAN, slow_mean])
def test_no_interval_from_one_source(pool):
    stats, sources = make([0.0, 1.0, 2.0], clips_per_source=3)
    assert bootstrap(pool, stats, sources, rng=rng()) is None
    assert bootstrap(pool, {}, {}, rng=rng()) is None


def test_clips_of_one_video_stay_together():
    """Ten copies of every clip carry no more information than one."""
    values = rng(2).normal(size=30)
    single = bootstrap(MEAN, *make(values), rng=rng(5), resamples=2000)
    copies, sources = make(np.repeat(values, 10), clips_per_source=10)
    clustered = bootstrap(MEAN, copies, sources, rng=rng(5), resamples=2000)
    naive = bootstrap(MEAN, copies, {clip_id: clip_id for clip_id in copies}, rng=rng(5), resamples=2000)
    assert clustered == pytest.approx(single)
    assert naive.high - naive.low < 0.5 * (clustered.high - clustered.low)


def test_order_changes_nothing_and_the_seed_repeats():
    stats, sources = make(rng(3).normal(size=50), clips_per_source=2)
    shuffled = {key: stats[key] for key in rng(4).permutation(list(stats))}
    first = bootstrap(slow_mean, stats, sources, rng=rng(7), resamples=200)
    assert bootstrap(slow_mean, shuffled, sources, rng=rng(7), resamples=200) == first
    assert bootstrap(slow_mean, stats, sources, rng=rng(8), resamples=200) != first


def test_global_generator_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    bootstrap(MEAN, *make([1, 2, 3]), rng=rng())
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_fast_path_is_the_slow_path():
    stats, sources = make(rng(3).normal(size=40), clips_per_source=3)
    ids = sorted(stats)
    ordered = [stats[i] for i in ids]
    counts = clip_counts(source_groups(ids, sources), draw_sources(14, 100, rng()))
    assert (counts.sum(axis=1) > 0).all()
    np.testing.assert_allclose(replicates(MEAN, ordered, counts), replicates(slow_mean, ordered, counts), rtol=1e-12)


def test_undefined_values_give_no_interval():
    stats = {f"v{i}": {"hit": np.array(0.0), "n": np.array(0.0)} for i in range(10)}
    sources = {clip_id: clip_id for clip_id in stats}
    assert bootstrap(ratio, stats, sources, rng=rng(), resamples=50) is None
    stats["v0"] = {"hit": np.array(1.0), "n": np.array(2.0)}
    # One clip in ten defines the value, so a third of the resamples miss it: too many to go on with the rest.
    assert bootstrap(ratio, stats, sources, rng=rng(), resamples=500) is None
    for i in range(1, 6):
        stats[f"v{i}"] = {"hit": np.array(1.0), "n": np.array(2.0)}
    assert bootstrap(ratio, stats, sources, rng=rng(), resamples=500) == (0.5, 0.5)


def test_paired_on_the_intersection():
    a, sources = make([1.0, 2.0, 3.0, 4.0, 100.0])
    b, _ = make([0.0, 1.0, 2.0, 3.0])
    b["elsewhere"] = {"x": np.array(-50.0)}
    found = paired_test(MEAN, a, b, sources, rng=rng())
    assert (found.n, found.first, found.second, found.difference) == (4, 2.5, 1.5, 1.0)
    assert (found.low, found.high) == (1.0, 1.0)
    assert found.p_value == 2.0**-3  # constant difference: the least four pairs can tell


def test_paired_sees_what_separate_intervals_cannot():
    hard = rng(1).normal(0, 5, 100)
    a, sources = make(hard + 0.3 + rng(2).normal(0, 0.5, 100))
    b, _ = make(hard + rng(3).normal(0, 0.5, 100))
    one = bootstrap(MEAN, a, sources, rng=rng())
    two = bootstrap(MEAN, b, sources, rng=rng())
    assert one.low < two.high  # the intervals overlap
    assert paired_test(MEAN, a, b, sources, rng=rng()).p_value < 0.01


def test_paired_is_antisymmetric():
    a, sources = make(rng(1).normal(size=40))
    b, _ = make(rng(2).normal(size=40))
    forth, back = paired_test(MEAN, a, b, sources, rng=rng(3)), paired_test(MEAN, b, a, sources, rng=rng(3))
    assert forth.difference == -back.difference
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))
    assert forth.p_value == back.p_value


@pytest.mark.parametrize("offset", [0.0, 1e-17])
def test_a_system_does_not_differ_from_itself(offset):
    a, sources = make(rng(1).normal(size=40))
    b = {key: {"x": stat["x"] + offset} for key, stat in a.items()}
    assert paired_test(MEAN, a, b, sources, rng=rng()).p_value == 1.0


def test_paired_without_common_clips():
    a, sources = make([1.0, 2.0])
    found = paired_test(MEAN, a, {}, sources, rng=rng())
    assert found.n == 0
    assert found.p_value is None
    assert np.isnan(found.difference)


def test_p_value_is_never_zero():
    a, sources = make(rng(1).normal(10, 0.1, 200))
    b, _ = make(rng(2).normal(0, 0.1, 200))
    assert paired_test(MEAN, a, b, sources, rng=rng(), resamples=99).p_value == 0.01


def test_holm_by_hand():
    assert holm([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.04, 0.001]) == pytest.approx([0.04, 0.002])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_shared_ranks(better):
    values = [4.0, 3.9, 3.0, 1.0]
    values = values if better == "higher" else [-v for v in values]
    same = {frozenset((0, 1)), frozenset((1, 2))}
    ranks = shared_ranks(values, better, lambda i, j: 0.4 if frozenset((i, j)) in same else 0.01)
    assert ranks == [(1, 2), (1, 3), (2, 3), (4, 4)]


def test_shared_ranks_without_a_test_are_all_shared():
    assert shared_ranks([1.0, 2.0, 3.0], "higher", lambda i, j: None) == [(1, 3)] * 3
    assert shared_ranks([], "higher", lambda i, j: None) == []


def squared_norm_of_mean(stats):
    """A distribution distance in one line: biased upwards by 1/n, like FAD."""
    mean = np.mean([stat["v"] for stat in stats], axis=0)
    return float(mean @ mean)


def test_centring_keeps_the_value_of_a_biased_distance_inside():
    vectors = rng(9).normal(size=(60, 40))
    stats = {f"v{i}": {"v": vector} for i, vector in enumerate(vectors)}
    sources = {clip_id: clip_id for clip_id in stats}
    value = squared_norm_of_mean(list(stats.values()))
    plain = bootstrap(squared_norm_of_mean, stats, sources, rng=rng(), resamples=300)
    centred = bootstrap(squared_norm_of_mean, stats, sources, rng=rng(), resamples=300, centre=True)
    assert value < plain.low
    assert centred.low < value < centred.high
    assert centred.high - centred.low == pytest.approx(plain.high - plain.low)


def _coverage(trials, n_sources, resamples):
    hits = 0
    for trial in range(trials):
        draw = rng([trial, 11])
        stats, sources = make(np.repeat(draw.exponential(1.0, n_sources), 2) + draw.normal(0, 0.3, 2 * n_sources), 2)
        low, high = bootstrap(MEAN, stats, sources, rng=draw, resamples=resamples)
        hits += low <= 1.0 <= high
    return hits / trials


def _false_alarms(trials, n_sources, resamples):
    hits = 0
    for trial in range(trials):
        draw = rng([trial, 13])
        a, sources = make(draw.normal(size=n_sources))
        b, _ = make(draw.normal(size=n_sources))
        hits += paired_test(MEAN, a, b, sources, rng=draw, resamples=resamples).p_value < 0.05
    return hits / trials


def test_coverage_small():
    assert 0.87 <= _coverage(200, 50, 300) <= 0.99


def test_false_alarms_small():
    assert _false_alarms(300, 25, 300) <= 0.09


@pytest.mark.slow
def test_coverage():
    """Exponential values, 100 videos of two clips: the percentile interval's known slight shortfall, and no more."""
    assert 0.91 <= _coverage(1000, 100, 500) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("n_sources", [6, 25, 100])
def test_false_alarms(n_sources):
    assert 0.03 <= _false_alarms(1000, n_sources, 500) <= 0.07
