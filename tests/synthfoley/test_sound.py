"""The parts of the sound, against formulas."""

import numpy as np
import pytest

from foleybench.synthesis.modes import bank, lay
from foleybench.synthesis.noise import band, wave
from foleybench.synthesis.room import room
from foleybench.synthfoley.mix import level, peak_of

RATE = 16000


def rng():
    return np.random.default_rng(0)


def test_the_bank_is_the_sum_of_decaying_sinusoids():
    freq, decay, gain = np.asarray([[440.0, 1234.5]]), np.asarray([[0.1, 0.03]]), np.asarray([[1.0, 0.5]])
    made = bank(freq, decay, gain, n_samples=1000, rate_hz=RATE, rng=rng())[0]
    phase = rng().uniform(0, 2 * np.pi, (1, 2))[0]
    t = np.arange(1000) / RATE
    wanted = sum(
        g * np.exp(-t / d) * np.cos(2 * np.pi * f * t + p)
        for f, d, g, p in zip(freq[0], decay[0], gain[0], phase, strict=True)
    )
    np.testing.assert_allclose(made[:900], wanted[:900], atol=2e-5)
    assert made[-1] == 0.0


def test_modes_that_would_alias_are_left_out():
    made = bank(
        np.asarray([[7900.0]]), np.asarray([[0.1]]), np.asarray([[1.0]]), n_samples=500, rate_hz=RATE, rng=rng()
    )
    assert not made.any()


def test_pieces_start_on_their_sample_and_are_cut_at_the_end():
    pieces = np.ones((3, 4), dtype=np.float32)
    out = lay(pieces, np.asarray([0.0, 2 / RATE, 9 / RATE]), n_samples=10, rate_hz=RATE)
    assert out.tolist() == [1, 1, 2, 2, 1, 1, 0, 0, 0, 1]


def test_noise_stays_in_its_band_at_unit_level():
    noise = band(RATE, RATE, 1000.0, 2000.0, rng=rng())
    power = np.abs(np.fft.rfft(noise)) ** 2
    assert power[1000:2000].sum() / power.sum() > 0.6
    assert power[:500].sum() / power.sum() < 0.01
    assert np.sqrt(np.mean(noise.astype(float) ** 2)) == pytest.approx(1.0, abs=1e-3)


def test_a_wave_has_the_wanted_harmonics():
    tone = wave(np.arange(RATE) * 100.0 / RATE, np.asarray([1.0, 0.0, 0.5]), rng())
    lines = np.abs(np.fft.rfft(tone)) / (RATE / 2)
    assert lines[[100, 200, 300]] == pytest.approx([1.0, 0.0, 0.5], abs=0.01)


def test_level_sets_the_peak_keeps_silence_and_never_clips():
    tone = np.sin(np.arange(RATE) * 0.3).astype(np.float32)
    assert np.abs(level(tone, RATE, peak=0.5, rng=rng())).max() == pytest.approx(0.5, abs=0.004)
    quiet = level(np.zeros(RATE, np.float32), RATE, peak=0.5, rng=rng())
    assert 0 < np.abs(quiet).max() < 0.004
    assert np.abs(level(tone, RATE, peak=3.0, rng=rng())).max() <= 1.0


def test_the_room_keeps_length_and_does_not_sound_early():
    click = np.zeros(4000, np.float32)
    click[2000] = 1.0
    wet = room(click, RATE, distance_m=1.0, rng=rng())
    assert wet.shape == click.shape
    assert np.abs(wet[:1900]).max() < 0.02 * np.abs(wet).max()
    assert abs(int(np.argmax(np.abs(wet))) - 2000) <= 2


def test_farther_and_softer_is_quieter():
    assert peak_of(1.0, 2.0) < peak_of(1.0, 1.0) <= 0.85
    assert peak_of(0.5, 1.0) == pytest.approx(0.5 * peak_of(1.0, 1.0))
