"""Intervals over clips and seeds: hand-computed parts, and coverage of what they claim."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats as distributions

from foleybench import registry
from foleybench.errors import ResultError
from foleybench.reproduce.measure import (
    Difference,
    Measured,
    _error,
    _Values,
    between_seeds,
    cell,
    equivalence_p,
    row_difference,
    unpaired,
)
from foleybench.stats.moderated import CommonLaw


class Scored:
    """One result: the KLD of every clip."""

    def __init__(self, values):
        self._stats = {f"c{i:03d}": {"kl": np.asarray(float(value))} for i, value in enumerate(values)}
        self.sources = {clip_id: clip_id for clip_id in self._stats}

    def stats(self, metric):
        assert metric == "kld_mini"
        return self._stats


def row(*seeds):
    return Measured([Scored(values) for values in seeds])


def test_the_value_is_the_mean_over_seeds():
    found = cell("kld_mini", row([1.0, 2.0], [3.0, 4.0]))
    assert (found.low, found.high) == (None, None)  # two videos
    assert found.value == pytest.approx(2.5)
    assert found.by_seed == pytest.approx((1.5, 3.5))


def test_error_adds_clips_and_seeds():
    change = np.array([0.1, -0.1] * 50)
    values = np.array([1.0, 2.0, 3.0])
    error, freedom = _error(_Values(values, change), between_seeds(values))
    clips, seeds = 100 * 0.01 * 100 / 99, 1.0 / 3
    assert error == pytest.approx(math.sqrt(clips + seeds))
    assert freedom == pytest.approx((clips + seeds) ** 2 / (clips**2 / 99 + seeds**2 / 2))


def test_error_of_clips_is_that_of_the_mean_over_seeds():
    """The seeds' mean of each clip, then the textbook standard error of a mean."""
    rng = np.random.default_rng(0)
    seeds = rng.normal(5.0, 1.0, 40) + 0.001 * rng.normal(size=(2, 40))
    means = np.mean(seeds, axis=0)
    found = cell("kld_mini", row(*seeds))
    half = (found.high - found.low) / 2
    assert half == pytest.approx(distributions.t.ppf(0.975, 39) * means.std(ddof=1) / math.sqrt(40), rel=1e-3)


def test_where_only_seeds_differ_three_count_as_three():
    clips = np.full(400, 1.0)
    found = cell("kld_mini", row(clips, clips + 0.1, clips + 0.2))
    half = distributions.t.ppf(0.975, 2) * 0.1 / math.sqrt(3)
    assert (found.low, found.high) == pytest.approx((1.1 - half, 1.1 + half), rel=1e-6)


def test_the_interval_stops_at_the_ideal():
    found = cell("kld_mini", row([0.0] * 20 + [0.5], [0.0] * 20 + [3.0]))
    assert found.low == 0.0


def test_the_interval_stops_at_the_worst_value(monkeypatch):
    metric = dataclasses.replace(registry.load("metrics", "kld_mini"), worst=4.0)
    monkeypatch.setattr(registry, "load", lambda kind, name: metric)
    found = cell("kld_mini", row([3.0] * 20, [4.0] * 20))
    assert (found.value, found.high) == (3.5, 4.0)


class Hits:
    """One result: whether each clip's class was heard."""

    def __init__(self, hits):
        self._stats = {f"c{i:03d}": {"hit": np.asarray(float(hit))} for i, hit in enumerate(hits)}
        self.sources = {clip_id: clip_id for clip_id in self._stats}

    def stats(self, metric):
        return self._stats


@pytest.mark.parametrize("n_seeds", [1, 3])
@pytest.mark.parametrize("hit", [0, 1])
def test_a_rate_without_a_spread_has_the_exact_interval_of_its_clips(hit, n_seeds):
    """0 of 27 and 27 of 27: 1 - 0.025 ** (1 / 27) is the exact upper end of none."""
    found = cell("class_accuracy", Measured([Hits([hit] * 27)] * n_seeds))
    room = 1.0 - 0.025 ** (1 / 27)
    assert (found.low, found.high) == pytest.approx((0.0, room) if hit == 0 else (1.0 - room, 1.0))


def test_a_rate_of_one_seed_has_the_interval_of_a_result_at_least():
    hits = [1] * 3 + [0] * 37
    found = cell("class_accuracy", Measured([Hits(hits)]))
    exact = distributions.binomtest(3, 40).proportion_ci(0.95, "exact")
    spread = math.sqrt(3 / 40 * 37 / 40 / 39)
    assert found.low == pytest.approx(max(0.0, min(exact.low, 3 / 40 - distributions.t.ppf(0.975, 39) * spread)))
    assert found.high == pytest.approx(max(exact.high, 3 / 40 + distributions.t.ppf(0.975, 39) * spread))


def test_seeds_that_hear_other_clips_make_a_rate_surer():
    one = [1] * 10 + [0] * 30
    rows = [Measured([Hits(np.roll(one, 10 * k)) for k in range(n)]) for n in (1, 4)]
    widths = [high - low for _, low, high, _ in (cell("class_accuracy", row) for row in rows)]
    assert widths[1] < 0.75 * widths[0]


def test_equal_values_that_are_no_rate_have_no_interval():
    found = cell("kld_mini", row([0.0] * 20))
    assert (found.value, found.low, found.high) == (0.0, None, None)


def test_fewer_clips_than_the_metric_asks_for_have_no_value(monkeypatch):
    metric = dataclasses.replace(registry.load("metrics", "kld_mini"), minimum_clips=20)
    monkeypatch.setattr(registry, "load", lambda kind, name: metric)
    assert cell("kld_mini", row([3.0] * 20)).value == 3.0
    few = cell("kld_mini", row([3.0] * 19))
    assert math.isnan(few.value)
    assert few.low is None


def test_equal_rows_do_not_differ():
    values = np.linspace(0, 1, 30)
    assert row_difference("kld_mini", row(values, values), row(values, values))[:3] == (0.0, 1.0, 0.0)


def test_rows_of_other_seeds_cannot_be_paired():
    with pytest.raises(ResultError, match="numbers of seeds"):
        row_difference("kld_mini", row([1.0, 2.0]), row([1.0, 2.0], [1.0, 2.0]))


def test_differences_are_taken_on_common_clips():
    first, second = row([1.0, 1.0, 1.0]), row([0.0, 0.0, 0.0, 100.0])
    assert row_difference("kld_mini", first, second).difference == pytest.approx(1.0)


@pytest.mark.parametrize("gap", [-0.3, 0.0, 0.02])
def test_equivalence_is_the_larger_of_two_one_sided_tests(gap):
    found = equivalence_p(Difference(gap, 0.5, 0.1, 12.0), 0.25)
    below = distributions.t.sf((gap + 0.25) / 0.1, 12)
    above = distributions.t.cdf((gap - 0.25) / 0.1, 12)
    assert found == pytest.approx(max(below, above), rel=1e-12)


def test_rows_without_a_spread_are_equivalent_where_they_are_equal():
    assert equivalence_p(Difference(0.0, 1.0, 0.0), 0.1) == 0.0
    assert equivalence_p(Difference(0.1, 0.0, 0.0), 0.1) == 1.0
    assert equivalence_p(Difference(0.0, None), 0.1) is None


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """Normal clips and normal seed effects: 95 % intervals hold the mean at least that often, and are not absurd."""
    rng = np.random.default_rng(5)
    held, n = 0, 200
    for _ in range(n):
        clips = rng.normal(5.0, 1.0, 60)
        seeds = [clips + rng.normal(0, 0.15) + rng.normal(0, 0.3, 60) for _ in range(3)]
        found = cell("kld_mini", row(*seeds))
        held += found.low <= 5.0 <= found.high
    assert held / n > 0.92
    assert held / n < 1.0


@pytest.mark.slow
@pytest.mark.parametrize(("by_clips", "by_seeds"), [(1.0, 0.05), (0.3, 0.05), (0.3, 0.15), (0.3, 0.5)])
def test_level_of_the_paired_test(by_clips, by_seeds):
    """Two rows that do not differ, three seeds, 60 clips: a 5 % test says otherwise in at most 8 %."""
    rng = np.random.default_rng(6)
    n, n_clips, shape = 4000, 60, np.array([-1.0, 1.0] * 30)
    wrong = 0
    for _ in range(n):
        gaps = rng.normal(0, by_clips * math.sqrt(2 / n_clips), 3) + rng.normal(0, by_seeds * math.sqrt(2), 3)
        spread = by_clips * math.sqrt(2 / 3 / n_clips * rng.chisquare(n_clips - 1) / (n_clips - 1))
        values = _Values(gaps, spread * shape / math.sqrt(n_clips * n_clips / (n_clips - 1)))
        error, freedom = _error(values, between_seeds(values.by_seed))
        wrong += 2 * distributions.t.sf(abs(gaps.mean()) / error, freedom) < 0.05
    assert wrong / n < 0.08


def test_two_samples_are_told_apart_like_welch_does():
    rng = np.random.default_rng(0)
    first, second = rng.normal(1.0, 0.3, 200), rng.normal(1.1, 0.6, 60)
    found = unpaired("kld_mini", row(first), row(second))
    welch = distributions.ttest_ind(first, second, equal_var=False)
    assert found.difference == pytest.approx(first.mean() - second.mean())
    assert found.p_value == pytest.approx(welch.pvalue, rel=0.15)


def test_clips_that_all_score_alike_are_no_evidence():
    found = unpaired("kld_mini", row([1.0] * 5), row(np.linspace(0.0, 1.0, 50)))
    assert found.difference == pytest.approx(0.5)
    assert found.p_value is None


def test_two_samples_of_clips_are_two_samples_of_seeds():
    """Seeds at 1, 1.1 and 1.2 (variance .01, 2 degrees of freedom) and at 2, 2.3 and 2.6 (.09); no spread of clips."""
    level = np.full(3000, 1.0) + np.tile([1e-4, -1e-4], 1500)
    first, second = row(level, level + 0.1, level + 0.2), row(*(level[:2000] + 1 + more for more in (0, 0.3, 0.6)))
    welch = distributions.ttest_ind([1.0, 1.1, 1.2], [2.0, 2.3, 2.6], equal_var=False)
    found = unpaired("kld_mini", first, second)
    assert found.difference == pytest.approx(-1.2)
    assert found.p_value == pytest.approx(welch.pvalue, rel=1e-3)
    assert found.freedom == pytest.approx(welch.df, rel=1e-3)


def test_two_samples_of_seeds_are_drawn_towards_their_law():
    level = np.full(3000, 1.0) + np.tile([1e-4, -1e-4], 1500)
    law = CommonLaw(0.09, 6.0, 28.0)
    rows = [
        Measured([Scored(level + more) for more in seeds], laws={"kld_mini": law}) for seeds in ([0, 0.1], [1, 1.1])
    ]
    found = unpaired("kld_mini", *rows)
    told = (0.005 + 6 * 0.09) / 7 / 2
    assert found.error == pytest.approx(math.sqrt(2 * told), rel=1e-4)
    assert found.freedom == pytest.approx(14, rel=1e-3)
