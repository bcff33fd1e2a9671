import dataclasses

import numpy as np
import pytest

from foleybench.api.encoder import Signal
from foleybench.encoders.onsets import ENCODER, RATE_HZ, SETTINGS, detect
from foleybench.errors import FoleyError
from foleybench.metrics._math.onset_matching import count_matches

TIMES_S = np.array([0.0, 0.5, 1.2, 1.32, 3.0, 5.5, 9.9])


def hits(times_s, duration_s=10.0, seed=0, decay_s=0.1):
    """Decaying tones of random pitch and level, each starting at its sample."""
    rng = np.random.default_rng(seed)
    out = np.zeros(round(duration_s * RATE_HZ) + RATE_HZ)
    n = np.arange(RATE_HZ // 2)
    for time_s in times_s:
        start = round(time_s * RATE_HZ)
        tone = np.sin(2 * np.pi * rng.uniform(200, 2000) * n / RATE_HZ)
        out[start : start + len(n)] += rng.uniform(0.2, 1.0) * np.exp(-n / (decay_s * RATE_HZ)) * tone
    return out[: round(duration_s * RATE_HZ)].astype(np.float32)


def test_times_of_hits_within_15_ms():
    found, strengths = detect(hits(TIMES_S))
    assert len(found) == len(TIMES_S)
    assert np.abs(found - TIMES_S).max() < 0.015
    assert (strengths > 0).all()


@pytest.mark.parametrize("noise", [1e-4, 1e-3, 1e-2])
def test_noise_under_the_hits_does_not_move_them(noise):
    audio = hits(TIMES_S) + noise * np.random.default_rng(1).standard_normal(160000).astype(np.float32)
    found, _ = detect(audio.astype(np.float32))
    assert count_matches(TIMES_S, found, 0.015) == len(TIMES_S) == len(found)


@pytest.mark.parametrize("gain", [0.001, 0.1, 4.0])
def test_gain_changes_nothing(gain):
    audio = hits(TIMES_S)
    np.testing.assert_allclose(detect(np.float32(gain) * audio)[0], detect(audio)[0], atol=1e-9)


def test_a_shift_shifts_the_onsets():
    audio = hits(TIMES_S[1:4])
    late = np.roll(audio, round(0.1 * RATE_HZ))
    np.testing.assert_allclose(detect(late)[0] - 0.1, detect(audio)[0], atol=0.002)


def test_silence_and_nothing_have_no_onsets():
    for n_samples in (0, 1, 100, 16000):
        times, strengths = detect(np.zeros(n_samples, np.float32))
        assert times.shape == strengths.shape == (0,)


def test_below_the_silence_level_there_are_none():
    quiet = np.float32(1e-6) * hits(TIMES_S)
    assert len(detect(quiet)[0]) == 0
    assert len(detect(quiet, dataclasses.replace(SETTINGS, silence_db=-160.0))[0]) == len(TIMES_S)


def test_steady_noise_has_hardly_any_onsets_after_its_start():
    noise = 0.1 * np.random.default_rng(2).standard_normal(160000).astype(np.float32)
    assert len(detect(noise)[0]) <= 3


def test_a_glide_is_one_onset():
    n = np.arange(4 * RATE_HZ) / RATE_HZ
    glide = (0.5 * np.sin(2 * np.pi * (300 * n + 100 * n**2))).astype(np.float32)
    assert len(detect(glide)[0]) == 1


def test_onsets_closer_than_the_smallest_gap_are_told_apart_at_120_ms_and_not_at_20_ms():
    assert len(detect(hits([1.0, 1.12], 3.0, decay_s=0.03))[0]) == 2
    assert len(detect(hits([1.0, 1.02], 3.0, decay_s=0.03))[0]) == 1


def test_a_sample_that_is_not_finite_is_refused():
    audio = hits(TIMES_S)
    audio[7] = np.nan
    with pytest.raises(FoleyError, match="sample 7 of 160000 is nan"):
        detect(audio)


def test_encoder_gives_each_sound_its_own_onsets():
    sounds = [hits(TIMES_S), hits(TIMES_S[:2], 2.0)]
    features = ENCODER.build("cpu")([Signal(audio=sound, duration_s=len(sound) / RATE_HZ) for sound in sounds])
    for sound, feature in zip(sounds, features, strict=True):
        np.testing.assert_array_equal(feature["times_s"], detect(sound)[0])
