"""Stereo encoder and metrics by hand."""

import numpy as np
import pytest

from foleybench.encoders.stereo import stereo_features
from foleybench.metrics import (
    stereo_balance_difference,
    stereo_correlation_difference,
    stereo_movement,
    stereo_width_difference,
)
from foleybench.metrics._families.stereo import balance, correlation, width
from foleybench.metrics._math.correlation import of_curves
from tests.metrics.views import view

WIDTH, BALANCE = stereo_width_difference.METRIC, stereo_balance_difference.METRIC
ALIKE, MOVEMENT = stereo_correlation_difference.METRIC, stereo_movement.METRIC
RATE_HZ = 48000
TIME_S = np.arange(2 * RATE_HZ) / RATE_HZ
# Whole periods in 50 ms: their powers are exact, and they have nothing in common.
LOW, HIGH = 0.4 * np.sin(2 * np.pi * 200 * TIME_S), 0.4 * np.sin(2 * np.pi * 600 * TIME_S)
SILENCE = np.zeros_like(LOW)


def powers(left, right):
    return stereo_features(np.stack([left, right]).astype(np.float32))["powers"]


@pytest.mark.parametrize(
    ("left", "right", "wide", "side", "alike"),
    [
        (LOW, LOW, 0.0, 0.0, 1.0),
        (LOW, -LOW, 1.0, 0.0, -1.0),
        (LOW, HIGH, 0.5, 0.0, 0.0),
        (LOW, SILENCE, 0.5, -1.0, 0.0),
        (SILENCE, LOW, 0.5, 1.0, 0.0),
        # Amplitudes 1 and 2: powers 1 and 4; half the difference 0.25, half the sum 2.25.
        (0.5 * LOW, LOW, 0.1, 0.6, 1.0),
    ],
)
def test_measures_by_hand(left, right, wide, side, alike):
    found = powers(left, right)
    assert width(found) == pytest.approx(wide, abs=1e-6)
    assert balance(found) == pytest.approx(side, abs=1e-6)
    assert correlation(found) == pytest.approx(alike, abs=1e-6)
    assert width(0.01 * found) == pytest.approx(wide, abs=1e-6)  # 20 dB quieter


def test_differences_by_hand():
    pair = view({"reference": powers(LOW, HIGH), "generated": powers(SILENCE, LOW)})
    assert WIDTH.pool([WIDTH.per_clip(pair)]) == pytest.approx(0.0, abs=1e-6)
    assert BALANCE.pool([BALANCE.per_clip(pair)]) == pytest.approx(1.0, abs=1e-6)
    swapped = view({"reference": powers(0.5 * LOW, LOW), "generated": powers(LOW, 0.5 * LOW)})
    assert BALANCE.pool([BALANCE.per_clip(swapped)]) == pytest.approx(1.2, abs=1e-6)
    assert WIDTH.pool([WIDTH.per_clip(swapped)]) == pytest.approx(0.0, abs=1e-6)
    turned = view({"reference": powers(LOW, LOW), "generated": powers(LOW, -LOW)})
    assert ALIKE.pool([ALIKE.per_clip(turned)]) == pytest.approx(2.0, abs=1e-6)


@pytest.mark.parametrize(("metric", "worst"), [(WIDTH, 1.0), (BALANCE, 2.0), (ALIKE, 2.0)])
def test_silence(metric, worst):
    # -81 dB is silent, -79 dB is not; half of it on each side.
    quiet, heard = (np.array([p / 2, p / 2, p / 2]) for p in (10**-8.1, 10**-7.9))
    assert metric.per_clip(view({"reference": quiet, "generated": heard})) is None
    assert metric.pool([metric.per_clip(view({"reference": heard, "generated": quiet}))]) == worst
    assert metric.pool([metric.per_clip(view({"reference": heard, "generated": heard}))]) == 0.0


def test_balance_over_time():
    """A sound that goes from left to right in 2 s: every 50 ms one number, from -1 to 1."""
    place = TIME_S / 2
    moving = np.stack([LOW * (1 - place), LOW * place]).astype(np.float32)
    curve = stereo_features(moving)["balance"]
    assert curve.shape == (40,)
    assert curve[0] == pytest.approx(-1, abs=0.01)
    assert curve[-1] == pytest.approx(1, abs=0.01)
    assert (np.diff(curve) > 0).all()
    # In the 11th part the right has amplitudes around 10.5 / 40 and the left the rest: the squares of 1 and 2.81.
    assert curve[10] == pytest.approx((10.5**2 - 29.5**2) / (10.5**2 + 29.5**2), abs=0.001)
    follows = view({"reference": curve, "generated": curve[::-1].copy()})
    assert MOVEMENT.per_clip(follows)["correlation"] == pytest.approx(-1.0, abs=1e-3)
    still = np.zeros(40)
    assert MOVEMENT.per_clip(view({"reference": curve, "generated": still}))["correlation"] == 0.0
    assert MOVEMENT.per_clip(view({"reference": still, "generated": curve})) is None


def test_silent_parts_are_in_the_middle_and_short_clips_are_one_part():
    burst = np.where(TIME_S < 1, LOW, 0)
    curve = stereo_features(np.stack([burst, SILENCE]).astype(np.float32))["balance"]
    assert curve[:20] == pytest.approx(-1.0, abs=1e-5)
    assert (curve[20:] == 0).all()
    short = np.stack([LOW[:900], SILENCE[:900]]).astype(np.float32)
    assert stereo_features(short)["balance"] == pytest.approx([-1.0], abs=1e-5)
    assert stereo_features(np.zeros((2, 0), np.float32))["powers"].tolist() == [0, 0, 0]


def test_curves_against_numpy():
    one, two = np.random.default_rng(0).standard_normal((2, 50))
    assert of_curves(one, two, constant=1e-6) == pytest.approx(np.corrcoef(one, two)[0, 1], abs=1e-12)
    assert of_curves(np.zeros(0), np.zeros(0), constant=1e-6) is None
