import dataclasses

import numpy as np
import pytest

from foleybench.api.encoder import Signal
from foleybench.encoders.onsets import ENCODER, RATE_HZ, SETTINGS, detect, detect_inner
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
        for find in (detect, detect_inner):
            times, strengths = find(np.zeros(n_samples, np.float32))
            assert times.shape == strengths.shape == (0,)


def test_below_the_silence_level_there_are_none():
    quiet = np.float32(1e-6) * hits(TIMES_S)
    assert len(detect(quiet)[0]) == 0
    assert len(detect(quiet, dataclasses.replace(SETTINGS, silence_db=-160.0))[0]) == len(TIMES_S)


def test_steady_noise_has_hardly_any_onsets_after_its_start():
    noise = 0.1 * np.random.default_rng(2).standard_normal(160000).astype(np.float32)
    assert len(detect(noise)[0]) <= 3


def steady(kind, seconds, seed=0):
    """Audio that goes on as it is from before its start to after its end."""
    n = round(seconds * RATE_HZ)
    hz = np.maximum(np.fft.rfftfreq(n, 1 / RATE_HZ), 20.0)
    if kind in ("white", "pink", "brown"):
        slope = {"white": 0.0, "pink": 0.5, "brown": 1.0}[kind]
        noise = np.fft.irfft(np.fft.rfft(np.random.default_rng(seed).standard_normal(n)) * hz**-slope, n)
        return (0.1 * noise / noise.std()).astype(np.float32)
    t = np.arange(n) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * float(kind) * t + seed)).astype(np.float32)


STEADY = ("50", "440", "1000", "7000", "white", "pink", "brown")


@pytest.mark.parametrize("seconds", [1.0, 4.0, 10.0])
@pytest.mark.parametrize("kind", STEADY)
def test_steady_sound_has_no_inner_onset(kind, seconds):
    for seed in range(5):
        assert len(detect_inner(steady(kind, seconds, seed)).times_s) == 0
    assert len(detect(steady(kind, seconds)).times_s) == 1  # with silence before it, the start is one


@pytest.mark.parametrize("fade_ms", [5, 20, 50, 100, 400])
@pytest.mark.parametrize("kind", ["440", "white", "brown"])
def test_a_fade_at_the_start_is_no_inner_onset(kind, fade_ms):
    sound = steady(kind, 4.0)
    fade = np.minimum(1.0, np.arange(len(sound)) / (fade_ms * RATE_HZ / 1000))
    assert len(detect_inner((sound * fade).astype(np.float32)).times_s) == 0


@pytest.mark.parametrize("kind", STEADY[1:])
def test_sound_that_starts_after_silence_is_an_inner_onset(kind):
    sound = steady(kind, 4.0)
    sound[: round(0.3 * RATE_HZ)] = 0.0
    np.testing.assert_allclose(detect_inner(sound).times_s, [0.3], atol=0.005)


@pytest.mark.parametrize("time_s", [0.046, 0.048])
def test_no_inner_onset_is_sharpened_into_the_start(time_s):
    """The rise of such a click lies after the first 50 ms, its sharpened time does not."""
    audio = (0.01 * np.random.default_rng(0).standard_normal(RATE_HZ)).astype(np.float32)
    n = np.arange(3000)
    audio[round(time_s * RATE_HZ) :][:3000] += (0.5 * np.exp(-n / 800) * np.sin(0.4 * n)).astype(np.float32)
    assert len(detect_inner(audio).times_s) == 0


def test_inner_onsets_are_those_after_the_start():
    for noise in (0.0, 1e-3):
        audio = hits(TIMES_S) + np.float32(noise) * np.random.default_rng(1).standard_normal(160000).astype(np.float32)
        inner = detect_inner(audio).times_s
        assert len(inner) == len(TIMES_S) - 1
        np.testing.assert_allclose(inner, TIMES_S[1:], atol=0.015)


@pytest.mark.parametrize(("time_s", "found"), [(0.02, 0), (0.04, 0), (0.07, 1), (0.2, 1)])
def test_the_first_50_ms_belong_to_the_start(time_s, found):
    assert len(detect_inner(hits([time_s, 2.0], 4.0)).times_s) == found + 1


def test_a_loud_start_hides_no_later_onset():
    """The threshold is a share of the strongest rises; from silence to a hum no later click can measure up."""
    rng = np.random.default_rng(3)
    clicks = 0.1 * rng.standard_normal(RATE_HZ)
    for start in (RATE_HZ // 4, RATE_HZ // 2):
        clicks[start : start + 800] *= 3.0
    clicks = clicks.astype(np.float32)
    settings = dataclasses.replace(SETTINGS, share=0.5)
    np.testing.assert_allclose(detect(clicks, settings).times_s, [0.0], atol=0.001)
    np.testing.assert_allclose(detect_inner(clicks, settings).times_s, [0.25, 0.5], atol=0.02)


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
        np.testing.assert_array_equal(feature["times_s"], detect(sound).times_s)
        np.testing.assert_array_equal(feature["strengths"], detect(sound).strengths)
        np.testing.assert_array_equal(feature["inner_times_s"], detect_inner(sound).times_s)
