import itertools
import math

import numpy as np
import pytest

from foleybench.errors import FoleyError
from foleybench.metrics import level_correlation, level_difference, logmel_distance, mel_profile_distance
from tests.metrics.views import view

CURVE = np.array([-60.0, -20.0, -40.0, -30.0, -80.0])


def score(module, reference, generated):
    stat = module.METRIC.per_clip(view({"reference": reference, "generated": generated}))
    return None if stat is None else module.METRIC.pool([stat])


def test_correlation_by_hand():
    assert score(level_correlation, [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]) == pytest.approx(0.5)
    assert score(level_correlation, CURVE, -CURVE) == pytest.approx(-1.0)
    assert score(level_correlation, CURVE, CURVE) == pytest.approx(1.0)
    assert score(level_correlation, CURVE, CURVE + 7.0) == pytest.approx(1.0)
    assert score(level_correlation, CURVE, np.corrcoef(CURVE, CURVE[::-1])[0, 1] * CURVE) in (1.0, -1.0)


def test_correlation_agrees_with_numpy():
    rng = np.random.default_rng(0)
    one, two = rng.standard_normal((2, 1000))
    assert score(level_correlation, one, two) == pytest.approx(np.corrcoef(one, two)[0, 1], abs=1e-12)


def test_constant_sound_follows_nothing_and_constant_reference_gives_nothing_to_follow():
    constant = np.full(5, -80.0)
    assert score(level_correlation, CURVE, constant) == 0.0
    assert score(level_correlation, constant, CURVE) is None
    assert score(level_correlation, constant, constant) is None
    assert math.isnan(level_correlation.METRIC.pool([]))


def test_level_difference_by_hand():
    assert score(level_difference, -20.0, -26.0) == pytest.approx(6.0)
    assert score(level_difference, -26.0, -20.0) == pytest.approx(6.0)
    assert score(level_difference, -20.0, -80.0) == pytest.approx(60.0)
    metric = level_difference.METRIC
    stats = [metric.per_clip(view({"reference": -20.0, "generated": -20.0 + d})) for d in (-3.0, 3.0)]
    assert metric.pool(stats) == pytest.approx(3.0)


def test_logmel_distance_by_hand():
    reference = np.zeros((2, 4))
    generated = np.array([[3.0, 3.0, 3.0, 3.0], [0.0, 0.0, 0.0, 2.0]])
    assert score(logmel_distance, reference, generated) == pytest.approx((3.0 + 1.0) / 2)


def test_profile_distance_by_hand_does_not_hear_gain():
    flat = np.full(4, -20.0)
    assert score(mel_profile_distance, flat, flat + 12.0) == pytest.approx(0.0, abs=1e-12)
    # A quarter each is -6.02 dB, a half -3.01 dB.
    half, quarter = 10 * np.log10([0.5, 0.25])
    lost = np.sqrt((2 * (half - quarter) ** 2 + 2 * (-60.0 - quarter) ** 2) / 4)
    assert score(mel_profile_distance, flat, np.array([-20.0, -20.0, -100.0, -100.0])) == pytest.approx(lost)
    # Shares of 10, 10, 1 and 1 of 22.
    many, few = 10 * np.log10([10 / 22, 1 / 22])
    tilted = np.sqrt(((many - quarter) ** 2 + (few - quarter) ** 2) / 2)
    assert score(mel_profile_distance, flat, np.array([-20.0, -20.0, -30.0, -30.0])) == pytest.approx(tilted)
    assert score(mel_profile_distance, flat, np.full(4, -100.0)) == pytest.approx(60.0 + quarter)


def test_profile_distance_counts_nothing_further_below_the_whole_than_60_db():
    loud, faint = np.array([-10.0, -69.0]), np.array([-10.0, -71.0])
    # The faint band moves the total, and so the share of the loud one, by 5e-6 dB at most.
    assert score(mel_profile_distance, loud, np.array([-10.0, -100.0])) == pytest.approx(np.sqrt(0.5), abs=1e-5)
    assert score(mel_profile_distance, faint, np.array([-10.0, -99.0])) == pytest.approx(0.0, abs=1e-5)


def test_profile_distance_grows_with_every_band_that_is_lost():
    whole = -20.0 - 3.0 * np.arange(16)
    lost = [np.where(np.arange(16) < kept, whole, -100.0) for kept in (16, 12, 8, 5, 3, 2, 1, 0)]
    values = [score(mel_profile_distance, whole, profile) for profile in lost]
    assert values[0] == 0.0
    assert all(before < after for before, after in itertools.pairwise(values))


@pytest.mark.parametrize("module", [level_correlation, level_difference, logmel_distance, mel_profile_distance])
def test_shapes_must_agree_and_values_be_finite(module):
    with pytest.raises(FoleyError, match="shape"):
        score(module, np.zeros((3, 4)), np.zeros((2, 4)))
    with pytest.raises(FoleyError, match="1 of 12 values that are not finite"):
        score(module, np.arange(12.0).reshape(3, 4), np.where(np.eye(3, 4) * [0, 1, 0, 0] > 0, np.nan, 0.0))
