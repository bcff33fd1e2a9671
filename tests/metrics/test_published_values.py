"""Values that the peers' own functions gave on fixed random inputs (numpy ``RandomState``), and what we say to them."""

import numpy as np
import pytest

from foleybench.metrics import is_passt
from foleybench.metrics._math import divergence as _divergence
from foleybench.metrics._math.frechet import frechet_distance
from foleybench.metrics._math.inception import inception_score
from foleybench.metrics._math.kernel import KernelPool
from foleybench.metrics._math.median_distance import median_distance
from tests.metrics.views import view


def normal(seed, shape):
    return np.random.RandomState(seed).standard_normal(shape)


X = normal(0, (500, 16))
Y = normal(1, (400, 16)) * 1.1 + 0.2
GENERATED = np.float32(normal(2, (64, 527)) * 3)
REFERENCE = np.float32(normal(3, (64, 527)) * 3)
LOGITS = np.float32(normal(4, (200, 527)) * 3)


def mean_over_clips(divergence):
    return np.mean([divergence(p.astype(float), q.astype(float)) for p, q in zip(REFERENCE, GENERATED, strict=True)])


@pytest.mark.parametrize(
    ("divergence", "wanted"),
    [
        (_divergence.kl_divergence, 7.470556259155273),  # av-benchmark@050a5cd, softmax
        (_divergence.half_bernoulli, 268.6651611328125),  # av-benchmark@050a5cd, "sigmoid"
        (_divergence.kl_divergence_epsilon, 7.160196304321289),  # audioldm_eval, SpecVQGAN, audiocraft kld_pq
        (_divergence.half_bernoulli_epsilon, 268.6448059082031),  # audioldm_eval@8dc07ee, "sigmoid"
        (_divergence.kl_divergence_epsilon_reversed, 7.4049016907811165),  # stable-audio-metrics@fd55536
    ],
)
def test_divergences_of_the_peers(divergence, wanted):
    assert mean_over_clips(divergence) == pytest.approx(wanted, rel=3e-7)  # the peers compute in float32


def test_a_saturated_classifier_beats_the_truth_in_what_peers_call_kl_sigmoid():
    reference = REFERENCE[0].astype(float)
    assert _divergence.half_bernoulli(reference, np.full(527, 10.0)) < _divergence.half_bernoulli(reference, reference)


def test_adding_an_epsilon_bounds_a_clip_and_misses_zero():
    far = np.array([60.0, 0.0]), np.array([0.0, 60.0])
    assert _divergence.kl_divergence_epsilon(*far) == pytest.approx(-np.log(1e-6))
    same = REFERENCE[0].astype(float)
    assert -6e-4 < _divergence.kl_divergence_epsilon(same, same) < 0


def test_frechet_distance_of_the_peers():
    assert frechet_distance(X, Y) == pytest.approx(1.4300383282961917, rel=1e-12)


def test_inception_score_of_the_peers():
    score = inception_score(LOGITS)
    assert score.mean == pytest.approx(9.773885580532987, rel=1e-12)
    assert score.std == pytest.approx(0.5048387255624692, rel=1e-10)


def test_kernel_distance_of_kadtk_with_either_bandwidth():
    assert median_distance(Y) == pytest.approx(6.091109752655029, rel=1e-6)
    assert median_distance(X) == pytest.approx(5.48215913772583, rel=1e-6)
    halves = [{"reference": X[:200], "generated": Y[:300]}, {"reference": X[200:], "generated": Y[300:]}]
    assert KernelPool("generated")(halves) == pytest.approx(1.5086650848388672, rel=1e-4)  # as shipped
    assert KernelPool("reference")(halves) == pytest.approx(1.6937851905822754, rel=1e-4)  # as documented


def clips(metric, n=40, seed=5):
    rng = np.random.default_rng(seed)
    shapes = {"logits": 527, "embedding": 768}
    made = []
    for number in range(n):
        features = {name: 3 * rng.standard_normal(shapes[need.layer]) for name, need in metric.needs.items()}
        made.append(metric.per_clip(view(features, clip_id=f"clip{number:03}_000000")))
    return made


def test_influence_on_the_inception_score_is_that_of_leaving_a_clip_out_of_its_split():
    """Each split's score is made again without the clip, by hand."""
    metric = is_passt.METRIC
    stats = clips(metric, n=400)
    found = metric.pool.influence(stats)
    assert found.change.sum() == pytest.approx(0.0, abs=1e-12)
    logits = np.stack([stat["logits"] for stat in stats])
    p = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    order = np.random.RandomState(2020).permutation(400)
    part = order[:40]

    def score(chosen):
        mean = p[chosen].mean(axis=0)
        return np.exp(np.mean([np.sum(p[i] * np.log(p[i] / mean)) for i in chosen]))

    wanted = -np.array([score(np.setdiff1d(part, [i])) for i in part]) * 39 / 40 / 10
    assert found.change[part] == pytest.approx(wanted - wanted.mean(), rel=1e-6)


def test_standard_error_of_an_inception_score_is_the_true_one():
    """Ten clips a split: the derivative would say 0.7 times as much."""
    values, errors = [], []
    for seed in range(80):
        logits = 3.0 * np.random.default_rng(seed).standard_normal((100, 50))
        logits = np.hstack([logits, np.full((100, 477), -30.0)])
        stats = [is_passt.METRIC.per_clip(view({"generated": row}, clip_id=f"c{i:03}")) for i, row in enumerate(logits)]
        values.append(is_passt.METRIC.pool(stats))
        errors.append(np.sqrt(np.sum(is_passt.METRIC.pool.influence(stats).change ** 2) * 100 / 99))
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.2)


def test_inception_correction_knows_the_videos():
    """Five clips a video with the same posterior: 30 videos are as few as 30 clips, and the correction says so."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(20):
        logits = np.repeat(50.0 * np.eye(4)[rng.integers(0, 4, 30)], 5, axis=0)
        stats = [is_passt.METRIC.per_clip(view({"generated": row}, clip_id=f"c{i:03}")) for i, row in enumerate(logits)]
        alone, together = [str(i) for i in range(150)], [str(i // 5) for i in range(150)]
        found.append((is_passt.METRIC.corrected(stats, alone), is_passt.METRIC.corrected(stats, together)))
    by_clip, by_video = np.mean(found, axis=0)
    assert abs(by_video - 4.0) < 0.03
    assert by_clip < by_video - 0.03


def test_the_truth_against_itself_is_zero_without_the_pairs_of_one_clip():
    stats = [{"reference": row, "generated": row} for row in X[:60].reshape(20, 3, 16)]
    assert KernelPool()(stats) < 0
    assert KernelPool().corrected(stats, range(len(stats))) == pytest.approx(0.0, abs=1e-9)


def test_kernel_distance_grows_with_the_difference():
    def distance(shift):
        pairs = zip(X[:200], Y[:200] + shift, strict=True)
        return KernelPool()([{"reference": a[None], "generated": b[None]} for a, b in pairs])

    values = [distance(shift) for shift in (0.0, 0.3, 0.6, 1.2)]
    assert values == sorted(values)


def test_equal_rows_have_no_kernel_distance():
    stats = [{"reference": np.ones((1, 4)), "generated": np.ones((1, 4))} for _ in range(20)]
    assert np.isnan(KernelPool()(stats))


def test_inception_score_does_not_depend_on_the_order_but_on_the_ids():
    metric = is_passt.METRIC
    stats = clips(metric)
    assert metric.pool(stats) == metric.pool(stats[::-1])
    assert metric.pool(stats[:9]) != metric.pool(stats[:9])  # fewer clips than parts: NaN


def test_corrected_inception_score_of_a_known_population():
    """Four classes, each audio clear: the score of infinitely many clips is 4; few clips say less."""
    rng = np.random.default_rng(3)
    metric, values = is_passt.METRIC, []
    for _ in range(20):
        classes = rng.integers(0, 4, 40)
        made = [view({"generated": 50.0 * np.eye(4)[k]}, clip_id=f"c{i:03}_000000") for i, k in enumerate(classes)]
        stats = [metric.per_clip(clip) for clip in made]
        values.append((metric.pool(stats), metric.corrected(stats, list(map(str, range(len(stats)))))))
    plain, corrected = np.mean(values, axis=0)
    assert plain < 3.5
    assert corrected == pytest.approx(4.0, abs=0.05)
