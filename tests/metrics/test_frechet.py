import math

import numpy as np
import pytest
import scipy.linalg

from foleybench.errors import FoleyError
from foleybench.metrics import fad_mini, fad_vggish
from foleybench.metrics._math.distances import corrected_distance, distance_of
from foleybench.metrics._math.extrapolate import extrapolated
from foleybench.metrics._math.frechet import frechet_distance
from foleybench.scoring.accumulator import Accumulator
from tests.metrics.views import view

X = np.random.RandomState(0).standard_normal((500, 16))
Y = np.random.RandomState(1).standard_normal((400, 16)) * 1.1 + 0.2


def by_square_root(first, second):
    """The textbook way: a general matrix square root."""
    gap = first.mean(axis=0) - second.mean(axis=0)
    one, two = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = scipy.linalg.sqrtm(one @ two).real
    return gap @ gap + np.trace(one) + np.trace(two) - 2 * np.trace(root)


def by_eigenvalues(first, second):
    """The trace of the root as the sum of the roots of eigenvalues; SciPy 1.18 has no root of a singular product."""
    gap = first.mean(axis=0) - second.mean(axis=0)
    one, two = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    roots = np.sqrt(np.clip(np.linalg.eigvals(one @ two).real, 0.0, None))
    return gap @ gap + np.trace(one) + np.trace(two) - 2 * roots.sum()


def pairs_of(first, second):
    return [(one[None], two[None]) for one, two in zip(first, second, strict=True)]


def test_golden_value_of_the_peers():
    assert frechet_distance(X, Y) == pytest.approx(1.4300383282961917, rel=1e-12)


def test_by_hand_in_one_dimension():
    # means 0 and 3, variances 2 and 8: 9 + (sqrt 8 - sqrt 2)^2 = 11
    first, second = np.array([[-1.0], [1.0]]), np.array([[1.0], [5.0]])
    assert frechet_distance(first, second) == pytest.approx(11.0)


@pytest.mark.parametrize(("n", "m", "d"), [(500, 400, 16), (300, 300, 128), (2000, 1000, 64)])
def test_agrees_with_the_matrix_square_root(n, m, d):
    rng = np.random.default_rng(d)
    mix = rng.standard_normal((d, d)) / np.sqrt(d)
    first, second = rng.standard_normal((n, d)), rng.standard_normal((m, d)) @ mix + 0.1
    assert frechet_distance(first, second) == pytest.approx(by_square_root(first, second), rel=1e-8)


@pytest.mark.parametrize(("n", "m"), [(20, 20), (20, 500), (500, 20), (33, 33), (2, 2)])
def test_fewer_rows_than_dimensions(n, m):
    rng = np.random.default_rng(n)
    first, second = rng.standard_normal((n, 32)), 1.5 * rng.standard_normal((m, 32))
    # The square root is only good to 1e-5 or so on singular products; the shared directions decide the trace.
    assert frechet_distance(first, second) == pytest.approx(by_square_root(first, second), rel=1e-4)
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first), rel=1e-12)


@pytest.mark.filterwarnings("ignore:Matrix is singular")
def test_dead_and_repeated_dimensions():
    padded = [np.hstack([x, np.zeros((len(x), 3)), x[:, :1]]) for x in (X, Y)]
    assert frechet_distance(*padded) == pytest.approx(by_eigenvalues(*padded), rel=1e-6)
    assert frechet_distance(*(p[:, :18] for p in padded)) == pytest.approx(frechet_distance(X, Y), rel=1e-12)


def test_repeated_rows_as_a_bootstrap_draws_them():
    rng = np.random.default_rng(5)
    chosen = X[rng.integers(20, size=400)]
    assert frechet_distance(chosen, Y) == pytest.approx(by_square_root(chosen, Y), rel=1e-8)


def test_equal_sets_are_at_distance_zero_and_a_gap_of_means_is_its_square():
    assert frechet_distance(X, X) == pytest.approx(0.0, abs=1e-10)
    assert frechet_distance(X, X + 2.0) == pytest.approx(16 * 4.0)
    assert frechet_distance(X, -X + 2 * X.mean(axis=0)) == pytest.approx(0.0, abs=1e-10)


def test_constant_rows_have_no_spread():
    assert frechet_distance(np.ones((5, 3)), np.zeros((9, 3))) == pytest.approx(3.0)


def test_distance_grows_with_noise():
    rng = np.random.default_rng(3)
    noise = rng.standard_normal(X.shape)
    values = [frechet_distance(X, X + level * noise) for level in (0.0, 0.3, 1.0, 3.0)]
    assert values == sorted(values)
    assert values[1] > 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_what_is_not_finite(bad):
    broken = X.copy()
    broken[3, 2] = bad
    with pytest.raises(FoleyError, match="1 of 8000 values that are not finite"):
        frechet_distance(broken, Y)


@pytest.mark.parametrize(("first", "second"), [(X[:1], Y), (X, Y[:1]), (X[:, :4], Y), (X[0], Y[0])])
def test_refuses_shapes_without_a_covariance(first, second):
    with pytest.raises(FoleyError):
        frechet_distance(first, second)


def test_correction_removes_most_of_the_bias():
    plain, corrected = [], []
    for seed in range(8):
        first, second = np.random.default_rng(seed).standard_normal((2, 200, 32))
        plain.append(distance_of(pairs_of(first, second)))
        corrected.append(corrected_distance(pairs_of(first, second), range(200)))
    assert np.mean(plain) > 2.5
    assert abs(np.mean(corrected)) < 0.1 * np.mean(plain)


@pytest.mark.parametrize("n", [4, 5, 7, 40, 41])
def test_correction_is_exact_where_the_bias_falls_as_one_over_the_clips(n):
    """Odd numbers too: a half of 7 clips is 3, a share of 3 / 7."""
    found = extrapolated(lambda chosen: 5.0 + 3.0 / len(chosen), range(n))
    assert found == pytest.approx(5.0, abs=1e-12)


def test_correction_is_of_all_clips_and_sixteen_halves_without_a_clip_twice():
    asked = []
    extrapolated(lambda chosen: float(asked.append(chosen.tolist()) or 1.0), range(7))
    *halves, whole = asked
    assert sorted(whole) == list(range(7))
    assert [len(half) for half in halves] == [3] * 16
    assert all(not set(one) & set(two) for one, two in zip(halves[::2], halves[1::2], strict=True))
    assert len({tuple(sorted(half)) for half in halves}) > 8
    assert math.isnan(extrapolated(lambda chosen: 1.0, range(3)))


def test_halves_are_of_videos_and_their_bias_is_that_of_videos():
    """A value whose bias falls with the number of videos, five clips each: halves of clips would find no bias."""
    sources = np.arange(60) // 5
    asked = []

    def value(chosen):
        asked.append(chosen)
        return 5.0 + 3.0 / len(set(sources[chosen]))

    assert extrapolated(value, sources) == pytest.approx(5.0, abs=1e-12)
    for chosen in asked:
        assert all(np.sum(sources[chosen] == video) == 5 for video in set(sources[chosen]))


def test_halves_of_videos_with_unequal_clips():
    """Clips that correlate by one half within a video: the bias of a squared mean, sum of sizes by hand."""
    sources = [video for video, size in enumerate([4, 1, 1, 2, 6, 1, 3, 2]) for _ in range(size)]

    def bias(chosen):
        sizes = np.array([np.sum(np.asarray(sources)[chosen] == video) for video in range(8)], dtype=float)
        return float(np.sum(sizes + sizes * (sizes - 1) / 2) / sizes.sum() ** 2)

    assert extrapolated(lambda chosen: 2.0 + 7.0 * bias(chosen), sources) == pytest.approx(2.0, abs=1e-9)


@pytest.mark.parametrize(("clips", "alike"), [(5, 0.5), (5, 0.9), (20, 0.8)])
def test_correction_removes_the_bias_of_clips_from_the_same_videos(clips, alike):
    """Equal laws, true distance 0. Halves of clips remove 46, 21 and 6 % of the bias."""
    plain, corrected = [], []
    n_videos, width = 40, 8
    sources = np.repeat(np.arange(n_videos), clips)
    for seed in range(40):
        rng = np.random.default_rng([seed, clips])
        own = rng.standard_normal((2, n_videos, 1, width))
        rows = np.sqrt(alike) * own + np.sqrt(1 - alike) * rng.standard_normal((2, n_videos, clips, width))
        pairs = pairs_of(*rows.reshape(2, -1, width))
        plain.append(distance_of(pairs))
        corrected.append(corrected_distance(pairs, sources))
    assert 0.8 <= 1 - np.mean(corrected) / np.mean(plain) <= 1.25


@pytest.mark.parametrize(("name", "least"), [("fad_mini", 24), ("fad_vggish", 16), ("kad_passt", 16), ("is_passt", 20)])
def test_fewer_clips_than_the_minimum_have_no_value(name, least):
    total = Accumulator(name)
    rng = np.random.default_rng(0)
    for index in range(least):
        assert math.isnan(total.compute())
        features = {need: rng.standard_normal(6) for need in total.metric.needs}
        total.update_features(f"clip{index:02}", features)
    assert math.isfinite(total.compute())


def test_correction_finds_a_real_distance():
    first, second = np.random.default_rng(9).standard_normal((2, 400, 16))
    true = 16 * 0.5**2 + 16 * (1.5 - 1.0) ** 2
    assert corrected_distance(pairs_of(first, 1.5 * second + 0.5), range(400)) == pytest.approx(true, rel=0.1)


def test_correction_leaves_equal_sets_at_zero_and_is_undefined_for_few_clips():
    assert corrected_distance(pairs_of(X, X), range(500)) == pytest.approx(0.0, abs=1e-9)
    assert math.isnan(corrected_distance(pairs_of(X[:3], X[1:4]), range(3)))
    assert math.isnan(distance_of(pairs_of(X[:1], X[:1])))
    assert math.isnan(distance_of([]))


@pytest.mark.parametrize("n", [40, 41])
def test_order_of_clips_changes_no_bit(n):
    rng = np.random.default_rng(4)
    pairs = pairs_of(X[:n], Y[:n])
    order = rng.permutation(n)
    shuffled = [pairs[i] for i in order]
    assert distance_of(pairs) == distance_of(shuffled)
    assert corrected_distance(pairs, range(n)) == corrected_distance(shuffled, order)
    assert corrected_distance(pairs, np.arange(n) // 3) == corrected_distance(shuffled, order // 3)


def test_metrics_pool_all_rows_of_all_clips():
    stats = [
        fad_vggish.METRIC.per_clip(view({"reference": X[i : i + 5], "generated": Y[i : i + 5]})) for i in (0, 5, 10)
    ]
    assert fad_vggish.METRIC.pool(stats) == pytest.approx(frechet_distance(X[:15], Y[:15]), rel=1e-9)
    rows = [fad_mini.METRIC.per_clip(view({"reference": X[i], "generated": Y[i]})) for i in range(30)]
    assert fad_mini.METRIC.pool(rows) == pytest.approx(frechet_distance(X[:30].round(3), Y[:30].round(3)), rel=1e-9)
    assert math.isfinite(fad_mini.METRIC.corrected(rows, list(map(str, range(len(rows))))))


def test_a_sound_too_short_for_a_patch_does_not_apply():
    empty = np.zeros((0, 128), np.float32)
    assert fad_vggish.METRIC.per_clip(view({"reference": empty, "generated": empty})) is None
    assert fad_vggish.METRIC.per_clip(view({"reference": np.ones((2, 128)), "generated": empty})) is None
