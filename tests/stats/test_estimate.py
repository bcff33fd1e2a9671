"""A value and its interval: bounds, counts, reasons, classes, and that nothing depends on anything but its inputs."""

import dataclasses
import math

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.stats import estimate
from foleybench.stats.intervals import Interval
from foleybench.stats.pools import Ratio, mean_of
from foleybench.stats.rates import clopper_pearson

METRIC = Metric(
    title="Mean",
    version=1,
    unit="1",
    better="lower",
    ideal=None,
    source="test",
    needs={},
    per_clip=lambda clip: None,
    pool=mean_of("x"),
    undefined="no clip",
)


def made(values, clips_per_source=1):
    stats = {f"v{i // clips_per_source:03d}_{i:03d}": {"x": np.array(float(v))} for i, v in enumerate(values)}
    return stats, {clip_id: clip_id.split("_")[0] for clip_id in stats}


def labels_of(stats):
    return {clip_id: ("odd" if index % 2 else "even") for index, clip_id in enumerate(stats)}


@pytest.mark.parametrize(
    ("better", "ideal", "worst", "ends", "expected"),
    [
        ("lower", 0.0, None, (-3.0, 9.0), (0.0, 9.0)),
        ("lower", 0.0, None, (2.0, 9.0), (2.0, 9.0)),
        ("lower", 0.0, 8.0, (2.0, 9.0), (2.0, 8.0)),
        ("lower", 0.0, 8.0, (-1.0, 7.0), (0.0, 7.0)),
        ("higher", 6.0, None, (0.2, 7.0), (0.2, 6.0)),
        ("higher", 6.0, 1.0, (0.2, 7.0), (1.0, 6.0)),
        ("higher", None, 1.0, (0.2, 7.0), (1.0, 7.0)),
        ("lower", None, None, (-3.0, 9.0), (-3.0, 9.0)),
        # It holds its own value, on either side and beyond a bound.
        ("lower", None, None, (5.5, 9.0), (5.0, 9.0)),
        ("higher", None, None, (-3.0, 4.0), (-3.0, 5.0)),
        ("higher", 4.0, None, (-3.0, 4.5), (-3.0, 5.0)),
    ],
)
def test_an_interval_ends_at_the_bounds_and_holds_its_value(better, ideal, worst, ends, expected):
    metric = dataclasses.replace(METRIC, better=better, ideal=ideal, worst=worst)
    assert estimate.within_bounds(Interval(*ends), 5.0, metric) == expected


def test_the_interval_of_an_estimate_is_within_the_bounds():
    stats, sources = made([0.0] * 12 + [1.0] * 8)
    open_ended = estimate.interval_of("m", METRIC, stats, sources)
    bounded = dataclasses.replace(METRIC, ideal=0.3, worst=0.5)
    assert open_ended.low < 0.3
    assert open_ended.high > 0.5
    assert estimate.interval_of("m", bounded, stats, sources) == (0.3, 0.5)
    assert estimate.estimate("m", bounded, stats, sources, labels_of(stats)).interval == (0.3, 0.5)


class _Counted:
    """A pool that counts how often it is asked for a value."""

    def __init__(self, pool):
        self.pool, self.influence, self.n_asked = pool, pool.influence, 0

    def __call__(self, stats):
        self.n_asked += 1
        return self.pool(stats)


def test_an_estimate_asks_for_the_value_of_all_clips_once():
    """A kernel distance of many clips takes minutes."""
    stats, sources = made(np.random.default_rng(0).normal(size=40))
    pool = _Counted(METRIC.pool)
    found = estimate.estimate("m", dataclasses.replace(METRIC, pool=pool), stats, sources, dict.fromkeys(stats, ""))
    assert (pool.n_asked, found.interval) == (1, estimate.interval_of("m", METRIC, stats, sources))


def test_seed_and_name_make_the_resamples_and_order_does_not():
    stats, sources = made(np.random.default_rng(0).normal(size=40), clips_per_source=2)

    def interval(name="m", seed=0, resamples=200):
        return estimate.interval_of(name, METRIC, stats, sources, seed=seed, resamples=resamples)

    first = interval()
    assert interval() == first
    assert interval(seed=1) != first
    assert interval(name="n") != first
    assert interval(resamples=300) != first
    backwards = dict(reversed(stats.items()))
    assert estimate.interval_of("m", METRIC, backwards, sources, resamples=200) == first


@pytest.mark.parametrize(
    ("n", "reason"), [(0, "no clip"), (4, "4 applicable clips, at least 5 are needed"), (5, ""), (6, "")]
)
def test_fewer_clips_than_the_metric_asks_for_have_no_value_and_a_reason(n, reason):
    metric = dataclasses.replace(METRIC, minimum_clips=5)
    stats, sources = made(range(n))
    found = estimate.estimate("m", metric, stats, sources, labels_of(stats))
    assert (found.reason, found.n) == (reason, n)
    assert math.isfinite(found.value) == (reason == "")
    assert (found.interval is None) == (n < 6)
    assert math.isnan(found.corrected)


def test_an_undefined_value_says_what_the_metric_says():
    stats, sources = made([math.nan] * 6)
    found = estimate.estimate("m", METRIC, stats, sources, labels_of(stats))
    assert (found.reason, found.interval) == ("no clip", None)


def test_values_by_class():
    stats, sources = made([1.0, 2.0, 3.0, 4.0, 5.0])
    labels = {**labels_of(stats), "elsewhere": "absent"}
    found = estimate.estimate("m", METRIC, stats, sources, labels)
    assert list(found.per_class) == ["absent", "even", "odd"]
    assert found.per_class["even"] == (3.0, 3)
    assert found.per_class["odd"] == (3.0, 2)
    assert math.isnan(found.per_class["absent"].value)
    few = estimate.estimate("m", dataclasses.replace(METRIC, minimum_clips=3), stats, sources, labels)
    assert few.per_class["even"] == (3.0, 3)
    assert math.isnan(few.per_class["odd"].value)


def test_the_corrected_value_is_the_metrics():
    metric = dataclasses.replace(METRIC, corrected=lambda stats, sources: -len(stats) - 0.1 * len(set(sources)))
    stats, sources = made(range(8), clips_per_source=2)
    assert estimate.estimate("m", metric, stats, sources, labels_of(stats)).corrected == pytest.approx(-8.4)


def test_a_comparison_needs_the_clips_that_the_metric_asks_for():
    a, sources = made(np.arange(9.0))
    b = {clip_id: {"x": stat["x"] + 1.0} for clip_id, stat in list(a.items())[:7]}
    metric = dataclasses.replace(METRIC, minimum_clips=7)
    found = estimate.paired(metric, a, b, sources, rng=np.random.default_rng(0))
    assert (found.n, found.difference) == (7, -1.0)
    metric = dataclasses.replace(METRIC, minimum_clips=8)
    found = estimate.paired(metric, a, b, sources, rng=np.random.default_rng(0))
    assert (found.n, found.p_value, found.low) == (7, None, None)
    assert math.isnan(found.difference)


RATE = dataclasses.replace(METRIC, better="higher", ideal=1.0, worst=0.0, pool=Ratio("x", counts=True))


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_no_interval_from_fewer_than_six_videos(n):
    stats, sources = made(np.arange(n * 3.0), clips_per_source=3)
    for metric in (METRIC, RATE):
        found = estimate.estimate("m", metric, stats, sources, labels_of(stats))
        assert found.interval is None
        assert found.notes[0] == f"no 95 % interval: {n} source videos, at least 6 are needed"
    assert estimate.note_on_videos(1).startswith("no 95 % interval: 1 source video,")


@pytest.mark.parametrize(("n", "few"), [(6, True), (7, True), (8, False), (20, False)])
def test_an_interval_from_few_videos_is_marked_with_its_coverage(n, few):
    stats, sources = made(np.arange(float(n)))
    found = estimate.estimate("m", METRIC, stats, sources, labels_of(stats))
    assert found.interval is not None
    assert any(note.startswith(f"approximate interval from {n} source videos: ") for note in found.notes) == few


@pytest.mark.parametrize(("hits", "n"), [(20, 20), (19, 20), (0, 30), (30, 30)])
def test_rates_near_their_bounds_have_the_exact_interval(hits, n):
    stats, sources = made([1.0] * hits + [0.0] * (n - hits))
    low, high = estimate.interval_of("m", RATE, stats, sources)
    exact = clopper_pearson(hits, n, 0.95)
    assert low <= exact.low + 1e-12
    assert high >= exact.high - 1e-12
    assert high - low < 1.3 * (exact.high - exact.low)


def test_rates_are_scaled_to_their_bounds():
    stats, sources = made([1.0] * 20)
    percent = dataclasses.replace(RATE, ideal=100.0, pool=Ratio("x", factor=100.0, counts=True))
    misses = dataclasses.replace(RATE, better="lower", ideal=0.0, worst=1.0)
    whole = estimate.interval_of("m", RATE, stats, sources)
    assert estimate.interval_of("m", percent, stats, sources) == pytest.approx([100 * end for end in whole])
    assert estimate.interval_of("m", misses, stats, sources) == pytest.approx(whole)


def test_equal_values_have_no_interval_unless_they_are_counts():
    stats, sources = made([0.4] * 20)
    metric = dataclasses.replace(METRIC, clip_value=lambda stat: float(stat["x"]))
    found = estimate.estimate("m", metric, stats, sources, labels_of(stats))
    assert (found.interval, found.notes) == (None, ("no 95 % interval: all clips have the same value",))


def test_one_clip_that_holds_over_a_fifth_is_named():
    stats = {f"c{i}": {"hits": np.array(1.0), "n": np.array(4.0)} for i in range(9)}
    sources = {clip_id: clip_id for clip_id in stats}
    metric = dataclasses.replace(METRIC, pool=Ratio("hits", ("n",)), ideal=0.0, worst=1.0)

    def notes():
        return estimate.estimate("m", metric, stats, sources, {c: "" for c in stats}).notes

    stats["c3"]["n"] = np.array(8.0)
    assert notes() == ()  # 8 of 40 are a fifth, and not over it
    stats["c3"]["n"] = np.array(9.0)
    assert notes() == ("clip c3 holds 22 % of the value",)


def test_one_clip_far_off_is_named_where_values_have_no_bound():
    stats, sources = made([1.0] * 20 + [30.0])
    metric = dataclasses.replace(METRIC, pool=Ratio("x"), ideal=0.0)
    found = estimate.estimate("m", metric, stats, sources, labels_of(stats))
    assert found.notes == ("clip v020_020 holds 60 % of the value",)
    bounded = dataclasses.replace(metric, worst=40.0)
    assert estimate.estimate("m", bounded, stats, sources, labels_of(stats)).notes == ()


def test_rates_are_compared_with_the_span_of_their_bounds():
    stats, sources = made([1.0] * 20)
    found = estimate.paired(RATE, stats, stats, sources, rng=np.random.default_rng(0))
    assert (found.low, found.high) == (pytest.approx(-0.161, abs=1e-3), pytest.approx(0.161, abs=1e-3))
    assert estimate.span_of(METRIC) is None


@pytest.mark.parametrize(("rows", "warned"), [(49, True), (50, False)])
def test_few_embeddings_are_warned_of_in_the_result(rows, warned):
    stats = {f"c{i:02d}": {"generated": np.ones((rows, 3)), "reference": np.ones((90, 3))} for i in range(20)}
    sources = {clip_id: clip_id for clip_id in stats}
    found = estimate.notes_of(registry.load("metrics", "fad_aisfx"), stats, sources)
    told = f"warning: {20 * rows} embeddings, mostly chance below 1000; read the kernel distance (KAD) instead"
    assert (told in found) == warned
    assert not estimate.notes_of(registry.load("metrics", "fad_vggish"), stats, sources)
