"""Compute values over clips and seeds, and test pairs of rows.

A cell has two sources of variance. The choice of clips: the variance of the seeds' mean over source videos, from each
video's influence (``stats.influence``). The seed of training and sampling: the variance between seeds, divided by their
number. Both are added, and the interval is Student's with the degrees of freedom of Welch and Satterthwaite. A rate's
interval includes the exact one, as in a result (``stats.estimate``). The noise of sampling each clip is in both parts,
so the interval errs on the wide side where clips matter more than seeds.

Two or three seeds can lie close together by luck, and a table of many rows finds the pairs where they do. So the
variance between the seeds of a trained network is drawn towards the law of all (``lent.told_by``); how often tests err
so, and by a row's own seeds alone: ``benchmarks/results/seed_errors.md``. A row with one seed shows no variance between
seeds; it takes that which other rows lend (``lent``).

Sources: Satterthwaite 1946; Welch 1947; Schuirmann 1987; Smyth 2004.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from scipy import stats as distributions

from foleybench import registry
from foleybench.api.metric import Metric, Stat
from foleybench.artefacts.entries import ResultEntry, read_all
from foleybench.clips import FloatArray
from foleybench.errors import ResultError
from foleybench.stats import estimate, ranking
from foleybench.stats.influence import Influence, of_videos, source_groups
from foleybench.stats.intervals import LEAST_VIDEOS, LEVEL, Interval
from foleybench.stats.moderated import CommonLaw, Variance

# An error below this share of the value is rounding.
ROUNDING = 1e-12
# One seed, of which nothing was lent: the values speak of these networks alone.
_NOT_KNOWN = Variance(0.0, math.inf)


Key = TypeVar("Key")


class SeedsCell(NamedTuple):
    """One row's value of one metric.

    Attributes:
        value: Mean over seeds; NaN when it is undefined for a seed.
        low: Lower end of the 95 % interval over clips and seeds; None when there is none.
        high: Upper end.
        by_seed: The value of each seed.
    """

    value: float
    low: float | None
    high: float | None
    by_seed: tuple[float, ...]


class Difference(NamedTuple):
    """Two rows on the clips that all their results cover.

    Attributes:
        difference: Value of the first row less that of the second.
        p_value: Two-sided, not corrected; None when there is none.
        error: Standard error of the difference over clips and seeds; None when there is none.
        freedom: Its degrees of freedom.
        by_seeds: The part of the squared error that is of seeds; None with one seed to which nothing was lent.
        law_freedom: Degrees of freedom of the law towards which the variance of seeds' differences is drawn; 0 without.
    """

    difference: float
    p_value: float | None
    error: float | None = None
    freedom: float = math.inf
    by_seeds: float | None = None
    law_freedom: float = 0.0


class Measured:
    """The results of one row: one entry a seed, on the same clips.

    Attributes:
        entries: The result of each seed, in order.
        lent: Metric -> variance between seeds, lent to a row with one seed.
        laws: Metric -> law towards which the variance between several seeds is drawn; of trained networks alone.
    """

    def __init__(
        self,
        entries: Sequence[ResultEntry],
        lent: Mapping[str, Variance] | None = None,
        laws: Mapping[str, CommonLaw] | None = None,
    ) -> None:
        self.entries = list(entries)
        self.lent = dict(lent or {}) if len(self.entries) == 1 else {}
        self.laws = dict(laws or {})

    def stats(self, metric: str) -> list[dict[str, Stat]]:
        """Return, per seed, clip id -> statistics."""
        return [entry.stats(metric) for entry in self.entries]

    @property
    def sources(self) -> dict[str, str]:
        """Clip id -> source video."""
        found: dict[str, str] = {}
        for entry in self.entries:
            found |= entry.sources
        return found


def read_results(folder: Path) -> dict[str, ResultEntry]:
    """Return row name -> result, of every result below a folder.

    Raises:
        ResultError: A file is broken or edited, or the results are not all about the same clips and protocol.
    """
    entries = read_all(folder)
    keys = {entry.board_key for entry in entries}
    if len(keys) > 1:
        raise ResultError(
            f"{folder} holds results of different clips or protocols: {sorted(keys)}. Give another --out."
        )
    return {entry.row_name: entry for entry in entries}


def cell(name: str, measured: Measured) -> SeedsCell:
    """Return a row's value of a metric with its interval over clips and seeds."""
    metric: Metric = registry.load("metrics", name)
    seeds = measured.stats(name)
    values = _values(metric, seeds, measured.sources)
    value = float(values.by_seed.mean())
    error, freedom = _error(values, _of_row(values.by_seed, measured.lent.get(name), measured.laws.get(name)))
    if not math.isfinite(value) or error is None:
        return SeedsCell(value, None, None, tuple(values.by_seed.tolist()))
    half = float(distributions.t.ppf(0.5 + LEVEL / 2, freedom)) * error
    spread = Interval(value - half, value + half)
    influence = Influence(values.change, values.weights)
    of_all = [stat for found in seeds for stat in found.values()]
    told = estimate.told_interval(metric, value, influence, of_all, spread)
    low, high = told or (None, None)
    return SeedsCell(value, low, high, tuple(values.by_seed.tolist()))


def row_difference(name: str, first: Measured, second: Measured, *, within: CommonLaw | None = None) -> Difference:
    """Compare two rows of the same seeds on the clips that all their results cover.

    Seeds of two networks are paired: those of one seed may share an alignment stage, and always share the order of the
    data. Lent variances are added, as if the runs had nothing in common, and so are those of the law towards which the
    variance of the seeds' differences is drawn. A network and a row without one are two samples.

    Args:
        name: The metric.
        first: A row.
        second: Another, of the same seeds.
        within: The law of their difference where both sample the same networks (``same_networks``), in place of the
            rows' own.

    Raises:
        ResultError: The rows have different numbers of seeds.
    """
    if len(first.entries) != len(second.entries):
        raise ResultError("two rows with different numbers of seeds cannot be paired; finish both first.")
    metric: Metric = registry.load("metrics", name)
    found = [first.stats(name), second.stats(name)]
    common = set.intersection(*(set(stat) for seeds in found for stat in seeds))
    kept = [[{clip_id: stat[clip_id] for clip_id in common} for stat in seeds] for seeds in found]
    one, other = (_values(metric, seeds, first.sources) for seeds in kept)
    if within and len(one.by_seed) > 1:
        between: Variance | None = between_seeds(one.by_seed - other.by_seed, within)
        law_freedom = within.freedom
    else:
        between = _between_rows(name, (first, one.by_seed), (second, other.by_seed))
        laws = [row.laws[name].freedom for row in (first, second) if name in row.laws]
        law_freedom = min(laws) if len(laws) > 1 else 0.0
    return difference_over_seeds(one.by_seed - other.by_seed, one.change - other.change, between, law_freedom)


def difference_over_seeds(
    by_seed: FloatArray, change: FloatArray, between: Variance | None, law_freedom: float = 0.0
) -> Difference:
    """Test whether two rows differ.

    Args:
        by_seed: Difference of the rows with each seed, shape (seeds,).
        change: Influence of each source video on the mean difference, shape (videos,).
        between: Variance of the mean difference that is of seeds; None where it is not known.
        law_freedom: Degrees of freedom of the law towards which that was drawn.
    """
    gaps, value = _Values(by_seed, change), float(by_seed.mean())
    error, freedom = _error(gaps, between or _NOT_KNOWN)
    if not math.isfinite(value) or error is None:
        return Difference(value, None)
    if error == 0:
        return Difference(value, 1.0 if value == 0 else 0.0, 0.0)
    p_value = float(2 * distributions.t.sf(abs(value) / error, freedom))
    return Difference(value, p_value, error, freedom, between.variance if between else None, law_freedom)


def holm_corrected(gaps: Mapping[Key, Difference]) -> dict[Key, Difference]:
    """Return differences with p-values Holm-corrected over all that have one."""
    told = {key: gap.p_value for key, gap in gaps.items() if gap.p_value is not None}
    corrected = dict(zip(told, ranking.holm(list(told.values())), strict=True))
    return {key: gap._replace(p_value=corrected.get(key)) for key, gap in gaps.items()}


def equivalence_p(difference: Difference, margin: float) -> float | None:
    """Return the p-value of two one-sided tests of a difference inside a margin, not corrected (Schuirmann 1987).

    It is the larger of the two; None when the difference has no standard error.
    """
    if difference.error is None:
        return None
    room = margin - abs(difference.difference)
    if difference.error == 0:
        return 0.0 if room > 0 else 1.0
    return float(distributions.t.sf(room / difference.error, difference.freedom))


def unpaired(name: str, first: Measured, second: Measured) -> Difference:
    """Compare two rows that were scored on different clips: two samples, Welch, also of seeds.

    There is no p-value when all clips of a row have equal values: without a spread, a few clips would seem certain.
    """
    metric: Metric = registry.load("metrics", name)
    parts = []
    for row in (first, second):
        values = _values(metric, row.stats(name), row.sources)
        between = _of_row(values.by_seed, row.lent.get(name), row.laws.get(name))
        parts.append((float(values.by_seed.mean()), *_error(values, between)))
    (value, error, freedom), (other, other_error, other_freedom) = parts
    apart = value - other
    if not math.isfinite(apart) or not error or not other_error:
        return Difference(apart, None)
    total = _sum_of(Variance(error**2, freedom), Variance(other_error**2, other_freedom))
    both = math.sqrt(total.variance)
    return Difference(apart, float(2 * distributions.t.sf(abs(apart) / both, total.freedom)), both, total.freedom)


class _Values(NamedTuple):
    """Values per seed, shape (seeds,); means over seeds of each video's influence and weight, shape (videos,)."""

    by_seed: FloatArray
    change: FloatArray
    weights: FloatArray = np.zeros(0)


def _values(metric: Metric, seeds: Sequence[Mapping[str, Stat]], sources: Mapping[str, str]) -> _Values:
    """Value every seed on the clips that all seeds have; no influence where the value is undefined."""
    ids, kept = _on_common_clips(seeds)
    groups = source_groups(ids, sources)
    by_seed = np.array([estimate.value_of(metric, one) for one in kept])
    if len(groups) < LEAST_VIDEOS or not np.isfinite(by_seed).all():
        return _Values(by_seed, np.zeros(0))
    found = [of_videos(metric.pool, list(one.values()), groups) for one in kept]
    told = [influence for influence in found if influence is not None]
    if len(told) < len(found):
        return _Values(by_seed, np.zeros(0))
    change, weights = (np.mean(columns, axis=0) for columns in zip(*told, strict=True))
    return _Values(by_seed, change, weights)


def seed_values(name: str, measured: Measured) -> FloatArray:
    """Return the value of every seed on the clips that all of them cover, shape (seeds,)."""
    metric: Metric = registry.load("metrics", name)
    return np.array([estimate.value_of(metric, one) for one in _on_common_clips(measured.stats(name))[1]])


def _on_common_clips(seeds: Sequence[Mapping[str, Stat]]) -> tuple[list[str], list[dict[str, Stat]]]:
    ids = sorted(set.intersection(*(set(stat) for stat in seeds)))
    return ids, [{clip_id: stat[clip_id] for clip_id in ids} for stat in seeds]


def _between_rows(
    name: str, first: tuple[Measured, FloatArray], second: tuple[Measured, FloatArray]
) -> Variance | None:
    """Return the variance of the mean difference of two rows that is of seeds; None where it is not known.

    Args:
        name: The metric.
        first: A row, and its value with each seed, shape (seeds,).
        second: Another, of the same seeds.
    """
    (row, values), (other, other_values) = first, second
    law, other_law = row.laws.get(name), other.laws.get(name)
    if len(values) == 1:
        return _of_both(row.lent.get(name), other.lent.get(name))
    if law and other_law:
        return between_seeds(values - other_values, law.of_two())
    if law or other_law:  # what is no network has its own variance, which no law of networks tells
        return _sum_of(between_seeds(values, law), between_seeds(other_values, other_law))
    return between_seeds(values - other_values)


def between_seeds(by_seed: FloatArray, law: CommonLaw | None = None) -> Variance:
    """Return the variance of the mean over several seeds, drawn towards a law where there is one.

    Args:
        by_seed: Value with each seed, shape (seeds,), two at least.
        law: Law of the variance of one value.
    """
    n = len(by_seed)
    own = Variance(float(by_seed.var(ddof=1)), n - 1)
    told = law.moderate(own) if law else own
    return Variance(told.variance / n, told.freedom)


def _of_both(one: Variance | None, other: Variance | None) -> Variance | None:
    """Return the variance of a difference of two seeds; None unless it was lent to both rows."""
    if one is None or other is None:
        return None
    if one == other:  # of the same rows: not known any better for being taken twice
        return Variance(2 * one.variance, one.freedom)
    return _sum_of(one, other)


def _sum_of(one: Variance, other: Variance) -> Variance:
    """Return the variance of a sum of two independent values."""
    total = one.variance + other.variance
    spread = one.variance**2 / one.freedom + other.variance**2 / other.freedom
    return Variance(total, total**2 / spread if spread else math.inf)


def _error(values: _Values, between: Variance) -> tuple[float | None, float]:
    """Return the standard error over clips and seeds, and its degrees of freedom; None when there is none."""
    n_sources = len(values.change)
    if not n_sources or not np.isfinite(values.by_seed).all():
        return None, math.nan
    by_clips = float(np.sum(values.change**2)) * n_sources / (n_sources - 1)
    total = _sum_of(Variance(by_clips, n_sources - 1), between)
    if total.variance <= (ROUNDING * float(np.abs(values.by_seed).max())) ** 2:
        return 0.0, math.inf
    return math.sqrt(total.variance), total.freedom


def _of_row(by_seed: FloatArray, lent: Variance | None = None, law: CommonLaw | None = None) -> Variance:
    """Return the variance of a row's mean over seeds: shown by several, lent to one, or 0."""
    return between_seeds(by_seed, law) if len(by_seed) > 1 else lent or _NOT_KNOWN
