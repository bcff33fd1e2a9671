"""Frequencies of sounds that are known, and the share of samples at full scale."""

import numpy as np
import pytest
from scipy.signal import lfilter

from foleybench.encoders import clipping, spectrum
from foleybench.encoders.spectrum import LOWEST_HZ, RATE_HZ, WINDOW, mean_power, spectrum_features
from foleybench.errors import FoleyError
from foleybench.media.audio import resample

STEP_HZ = RATE_HZ / WINDOW


def sine(hz, amplitude=0.5, seconds=2.0):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def noise(seconds=4.0, rate_hz=RATE_HZ):
    return (0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate_hz))).astype(np.float32)


def layers(audio):
    return {name: float(value) for name, value in spectrum_features(*mean_power(audio)).items()}


def test_by_hand():
    hz = np.array([100.0, 200.0, 300.0, 400.0])
    found = spectrum_features(hz, np.array([1.0, 2.0, 1.0, 1e-7]))
    assert found["centroid_hz"] == pytest.approx(200.0, rel=1e-6)
    assert found["rolloff_hz"] == 300.0
    assert found["edge_hz"] == 300.0


def test_a_sine_lies_at_its_frequency_and_gain_changes_nothing():
    found = layers(sine(3000.0))
    assert found["centroid_hz"] == pytest.approx(3000.0, rel=1e-3)
    assert found["rolloff_hz"] == pytest.approx(3000.0, abs=2 * STEP_HZ)
    assert found["edge_hz"] == pytest.approx(3000.0, abs=10 * STEP_HZ)
    assert layers(0.01 * sine(3000.0)) == pytest.approx(found, rel=1e-4)


def test_white_noise_fills_the_band():
    found = layers(noise())
    assert found["centroid_hz"] == pytest.approx((LOWEST_HZ + 24000) / 2, rel=0.02)
    assert found["rolloff_hz"] == pytest.approx(0.95 * 24000, rel=0.02)
    assert found["edge_hz"] > 23900


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050])
def test_the_edge_shows_a_lower_rate_under_a_loud_low_tone(rate_hz):
    """Nearly all power is at 200 Hz: centroid and roll-off do not notice what the edge does."""
    full = sine(200.0, seconds=4.0) + np.float32(0.1) * noise()
    narrow = resample(resample(full, RATE_HZ, rate_hz), rate_hz, RATE_HZ)
    assert layers(full)["edge_hz"] > 23000
    assert layers(narrow)["edge_hz"] == pytest.approx(rate_hz / 2, rel=0.06)  # the resampler fades out
    assert layers(narrow)["rolloff_hz"] == layers(full)["rolloff_hz"]


@pytest.mark.parametrize("n", [0, 5, 5000])
def test_silence_has_no_frequency(n):
    silent = dict.fromkeys(("centroid_hz", "rolloff_hz", "edge_hz"), 0.0)
    assert layers(np.zeros(n, np.float32)) == silent
    faint = 10 ** (-105 / 20) * np.random.default_rng(0).standard_normal(n)
    assert layers(faint.astype(np.float32)) == silent


@pytest.mark.parametrize("level_db", [-30, -60, -70, -80, -90])
def test_w11_a_nearly_silent_sound_is_not_its_rounding(level_db):
    """Low noise, and the same as a 16-bit file holds it: version 1 said 0.1 octave at -80 dB, 0.7 at -90 dB."""
    low = lfilter([0.05], [1, -0.95], np.random.default_rng(0).standard_normal(4 * RATE_HZ))
    sound = (10 ** (level_db / 20) * low / low.std()).astype(np.float32)
    rounded = (np.round(sound * 32768) / 32768).astype(np.float32)
    one, other = layers(sound), layers(rounded)
    assert abs(np.log2(other["centroid_hz"] / one["centroid_hz"])) < 0.01
    assert abs(np.log2(other["rolloff_hz"] / one["rolloff_hz"])) < 0.05
    assert abs(np.log2(other["edge_hz"] / one["edge_hz"])) < 0.2


def test_what_is_taken_off_by_hand():
    """2e-11 and 3e-11 less 1e-11 each: one part at 100 Hz and two at 400 Hz."""
    found = spectrum_features(np.array([100.0, 200.0, 400.0]), np.array([2e-11, 0.9e-11, 3e-11]))
    assert found["centroid_hz"] == pytest.approx(300.0)
    assert found["rolloff_hz"] == found["edge_hz"] == 400.0


def test_broken_sound_is_refused():
    for function in (mean_power, clipping.full_scale_share):
        with pytest.raises(FoleyError, match="sample 1 "):
            function(np.array([0, np.inf], np.float32))


def test_share_of_samples_at_full_scale():
    assert clipping.full_scale_share(np.array([0.99, -1.2, 0.989, 0.0], np.float32)) == 0.5
    assert clipping.full_scale_share(np.zeros(0, np.float32)) == 0.0
    clipped = np.clip(sine(100.0, 2.0), -1, 1)  # above 1 for two thirds of each period: |sin| > 1/2
    assert clipping.full_scale_share(clipped) == pytest.approx(2 / 3, abs=0.01)
    at_44100 = resample(resample(np.clip(sine(100.0, 2.0), -1, 1), RATE_HZ, 44100).clip(-1, 1), 44100, RATE_HZ)
    assert clipping.full_scale_share(at_44100) == pytest.approx(2 / 3, rel=0.2)


def test_shapes_of_the_card():
    assert set(layers(noise())) == set(spectrum.ENCODER.layers)
