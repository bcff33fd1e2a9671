"""Envelope and log-mel: values that can be worked out by hand."""

import numpy as np
import pytest

from foleybench.api.encoder import Signal
from foleybench.encoders import envelope, logmel, partials, peak_levels
from foleybench.encoders._inputs.spectra import MelGrid, mel_power
from foleybench.errors import FoleyError

RATE_HZ = 16000


def encode(encoder, audio):
    return encoder.ENCODER.build("cpu")([Signal(audio=audio.astype(np.float32), duration_s=len(audio) / RATE_HZ)])[0]


def sine(hz, seconds=1.0, amplitude=1.0):
    return amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def test_level_of_a_sine_is_its_rms():
    features = encode(envelope, sine(1000, 2.0, 0.5))
    assert features["level_db"].shape == (200,)
    np.testing.assert_allclose(features["level_db"], 20 * np.log10(0.5 / np.sqrt(2)), atol=0.05)
    assert features["mean_db"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=1e-6)


def test_level_follows_a_step_at_its_time():
    audio = np.concatenate([sine(1000, 0.5, 0.01), sine(1000, 0.5, 1.0)])
    level = encode(envelope, audio)["level_db"]
    step = int(np.argmax(np.diff(level)))
    assert abs((step + 1) * 0.01 - 0.5) <= 0.015
    assert level[30] == pytest.approx(-43.01, abs=0.1)
    assert level[80] == pytest.approx(-3.01, abs=0.1)


def test_dc_is_not_heard():
    assert encode(envelope, np.full(16000, 0.5))["mean_db"] == envelope.FLOOR_DB
    np.testing.assert_array_equal(encode(envelope, np.full(16000, 0.5))["level_db"], envelope.FLOOR_DB)


def test_nothing_and_silence_lie_on_the_floor():
    for n_samples in (0, 1, 159, 160, 161):
        features = encode(envelope, np.zeros(n_samples))
        assert features["level_db"].shape == (max(1, -(-n_samples // 160)),)
        assert (features["level_db"] == -80).all()
        assert (encode(logmel, np.zeros(n_samples))["bands_db"] == -80).all()


def test_shape_of_the_spectrogram():
    features = encode(logmel, sine(440, 2.5))
    assert features["bands_db"].shape == (157, 64)
    assert features["profile_db"].shape == (64,)


def test_a_tone_lies_in_its_band_and_ten_times_the_amplitude_is_20_db():
    loud, quiet = encode(logmel, sine(1000)), encode(logmel, sine(1000, amplitude=0.1))
    band = int(np.argmax(loud["profile_db"]))
    edges = np.linspace(*(2595 * np.log10(1 + np.array([50, 8000]) / 700)), 66)
    centre_hz = 700 * (10 ** (edges[band + 1] / 2595) - 1)
    assert abs(centre_hz - 1000) < 60
    assert loud["profile_db"][band] - quiet["profile_db"][band] == pytest.approx(20.0, abs=1e-3)


def test_white_noise_has_the_same_power_in_all_bands():
    noise = np.random.default_rng(0).standard_normal(30 * RATE_HZ)
    profile = encode(logmel, noise)["profile_db"]
    assert np.ptp(profile) < 1.5


def test_frames_are_centred_on_their_time():
    audio = np.zeros(RATE_HZ)
    audio[8000] = 1.0
    bands = encode(logmel, audio)["bands_db"].mean(axis=1)
    assert abs(int(np.argmax(bands)) * 256 - 8000) <= 128


def test_bands_narrower_than_a_bin_are_refused():
    grid = MelGrid(rate_hz=RATE_HZ, window=64, hop=32, n_bands=64, low_hz=50.0, high_hz=8000.0)
    with pytest.raises(ValueError, match="narrower than a bin"):
        mel_power(np.zeros(100, np.float32), grid)


@pytest.mark.parametrize("encoder", [envelope, logmel, peak_levels, partials])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(encoder, bad):
    audio = sine(440)
    audio[100] = bad
    with pytest.raises(FoleyError, match="sample 100"):
        encode(encoder, audio)


def test_peaks_of_a_hit_and_its_time():
    audio = np.zeros(16000)
    audio[8000:8080] = 0.5 * np.resize([1.0, -1.0], 80)
    peaks = encode(peak_levels, audio)["peak_db"]
    assert peaks.shape == (200,)
    assert peaks[100] == pytest.approx(20 * np.log10(0.5), abs=1e-3)
    np.testing.assert_array_equal(np.delete(peaks, 100), peak_levels.FLOOR_DB)


def test_no_audio_has_one_peak_at_the_floor():
    assert encode(peak_levels, np.zeros(0))["peak_db"].tolist() == [peak_levels.FLOOR_DB]
    np.testing.assert_array_equal(encode(peak_levels, np.full(16000, 0.5))["peak_db"], peak_levels.FLOOR_DB)


def test_a_lone_sine_is_found_to_a_tenth_of_a_hertz():
    found = encode(partials, sine(441.3, 1.0, 0.25))["partials"]
    assert found.shape == (100, 8, 2)
    assert found[20, 0] == pytest.approx([441.3, 20 * np.log10(0.25)], abs=0.1)
    # What remains are sidelobes of the window, far below.
    assert found[20, 1:, 1].max() < found[20, 0, 1] - 30


def test_two_partials_come_by_strength_and_close_ones_as_one():
    found = encode(partials, sine(300, 1.0, 0.1) + sine(1000, 1.0, 0.3) + sine(1010, 1.0, 0.01))["partials"][10]
    assert found[:2, 0] == pytest.approx([1000, 300], abs=1.0)
    assert not ((found[:, 0] > 1004) & (found[:, 0] < 1016)).any()


def test_silence_has_no_partials():
    found = encode(partials, np.zeros(1600))["partials"]
    np.testing.assert_array_equal(found[..., 0], 0.0)
    np.testing.assert_array_equal(found[..., 1], -120.0)
