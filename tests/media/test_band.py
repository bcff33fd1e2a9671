"""Where the band of a sound ends, and real sound cut there."""

from __future__ import annotations

import numpy as np
import pytest

from foleybench.media.band import STEP_HZ, band_limit, band_limited, spectrum_shares

RATE_HZ = 48000


def noise(seed: int, n: int = 2 * RATE_HZ) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)


def cut(audio: np.ndarray, end_hz: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    spectrum = np.fft.rfft(audio)
    spectrum[np.fft.rfftfreq(len(audio), 1 / rate_hz) > end_hz] = 0
    return np.fft.irfft(spectrum, len(audio)).astype(np.float32)


def test_shares_are_of_the_sound_s_own_power_whatever_its_gain_and_rate():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    shares = spectrum_shares(tone, 16000)
    assert shares.sum() == pytest.approx(1.0)
    assert np.argmax(shares) * STEP_HZ == 1000.0
    assert np.all(shares[round(8050 / STEP_HZ) :] == 0)  # above half the rate there is nothing
    assert np.allclose(spectrum_shares(0.01 * tone, 16000), shares, atol=1e-9)
    assert not spectrum_shares(np.zeros(16000, dtype=np.float32), 16000).any()


@pytest.mark.parametrize("end_hz", [2000, 4000, 8000])
def test_the_band_of_noise_ends_where_it_was_cut(end_hz):
    real = noise(0)
    limit = band_limit(spectrum_shares(cut(real, end_hz), RATE_HZ), spectrum_shares(real, RATE_HZ))
    assert limit is not None
    assert end_hz <= limit.end_hz <= 1.05 * end_hz
    assert np.all(limit.gain[: round(0.9 * end_hz / STEP_HZ)] == 1)
    assert np.all(np.diff(limit.gain) <= 0)
    assert np.all(limit.gain[round(limit.end_hz / STEP_HZ) :] == 0)


def test_real_sound_cut_to_the_band_is_the_low_passed_sound():
    real = noise(1)
    narrow = cut(real, 6000)
    limit = band_limit(spectrum_shares(narrow, RATE_HZ), spectrum_shares(real, RATE_HZ))
    matched = band_limited(real, RATE_HZ, limit.gain)
    rest, whole = matched[4800:-4800] - narrow[4800:-4800], real - narrow
    assert np.mean(rest**2) < 0.01 * np.mean(whole**2)


def test_noise_of_a_later_coding_does_not_hide_the_end_of_the_band():
    real = noise(2)
    coded = cut(real, 8000) + 0.05 * noise(3)  # 26 dB below, up to the top
    limit = band_limit(spectrum_shares(coded, RATE_HZ), spectrum_shares(real, RATE_HZ))
    assert 8000 <= limit.end_hz <= 8400


def test_a_dull_sound_of_full_band_is_not_excused():
    real = noise(4)
    spectrum = np.fft.rfft(real)
    hz = np.fft.rfftfreq(len(real), 1 / RATE_HZ)
    dull = np.fft.irfft(spectrum * np.where(hz > 4000, 0.3, 1.0), len(real)).astype(np.float32)  # 10 dB less
    assert band_limit(spectrum_shares(dull, RATE_HZ), spectrum_shares(real, RATE_HZ)) is None


def test_nothing_is_missing_where_the_real_sound_has_nothing():
    real = cut(noise(5), 5000)
    assert band_limit(spectrum_shares(real, RATE_HZ), spectrum_shares(real, RATE_HZ)) is None
    narrower_rate = spectrum_shares(cut(real[::3], 5000, 16000), 16000)
    assert band_limit(narrower_rate, spectrum_shares(real, RATE_HZ)) is None


def test_the_limit_keeps_time_and_length():
    click = np.zeros(1001, dtype=np.float32)
    click[300] = 1.0
    gain = np.where(np.arange(961) * STEP_HZ < 4000, 1.0, 0.0)
    made = band_limited(click, RATE_HZ, gain)
    assert made.shape == click.shape
    assert made.dtype == np.float32
    assert np.argmax(np.abs(made)) == 300
    assert len(band_limited(np.zeros(0, dtype=np.float32), RATE_HZ, gain)) == 0
