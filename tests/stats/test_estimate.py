"""A value and its interval: bounds, counts, reasons, classes, and that nothing depends on anything but its inputs."""

import dataclasses
import math

import numpy as np
import pytest

from foleybench.api.metric import Metric
from foleybench.stats import estimate
from foleybench.stats.bootstrap import Interval
from foleybench.stats.pools import mean_of

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
    assert (found.interval is None) == (reason != "")
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
    metric = dataclasses.replace(METRIC, corrected=lambda stats: -float(len(stats)))
    stats, sources = made(range(8))
    assert estimate.estimate("m", metric, stats, sources, labels_of(stats)).corrected == -8.0


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
