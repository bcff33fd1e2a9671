"""Levels for listening: the target is met exactly, peaks are never passed, silence stays silence."""

import numpy as np
import pytest

from foleybench.media.audio import resample
from foleybench.media.loudness import PEAK_DBTP, below_peak, integrated_lufs, to_loudness, true_peak

LIMIT = 10 ** (PEAK_DBTP / 20)


def noise(level: float, seconds: float = 2.0, rate_hz: int = 16000) -> np.ndarray:
    return (level * np.random.default_rng(0).standard_normal(round(seconds * rate_hz))).astype(np.float32)


def lufs(audio: np.ndarray, rate_hz: int) -> float:
    return integrated_lufs(resample(audio, rate_hz, 48000))


@pytest.mark.parametrize("level", [0.001, 0.02, 0.2])
@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_the_target_is_met_by_one_gain(level, rate_hz):
    before = noise(level, rate_hz=rate_hz)
    after = to_loudness(before, rate_hz, -23.0)
    assert lufs(after.audio, rate_hz) == pytest.approx(-23.0, abs=0.01)
    assert after.lufs == pytest.approx(-23.0)
    assert not after.held_back
    np.testing.assert_allclose(after.audio, before * 10 ** (after.gain_db / 20), rtol=1e-5)


def test_sharp_hits_stop_at_the_peak_and_say_so():
    hits = np.zeros(32000, dtype=np.float32)
    hits[::8000] = 0.3
    after = to_loudness(hits, 16000, -23.0)
    assert after.held_back
    assert after.lufs < -23.0
    assert true_peak(after.audio) == pytest.approx(LIMIT, rel=1e-4)


@pytest.mark.parametrize("audio", [np.zeros(16000), np.zeros(0), np.full(16000, 1e-6)])
def test_silence_is_left_as_it_is(audio):
    audio = audio.astype(np.float32)
    after = to_loudness(audio, 16000)
    assert np.array_equal(after.audio, audio)
    assert (after.gain_db, after.held_back) == (0.0, False)


def test_a_peak_between_the_samples_counts():
    between = (np.sin(np.pi / 2 * np.arange(4000) + np.pi / 4)).astype(np.float32)
    assert np.abs(between).max() == pytest.approx(0.7071, abs=1e-4)
    assert true_peak(between[500:-500]) == pytest.approx(1.0, abs=0.06)
    assert true_peak(np.zeros(0, dtype=np.float32)) == 0.0


def test_a_mix_is_turned_down_as_a_whole_and_only_when_it_must():
    quiet = np.stack([noise(0.01), noise(0.02)])
    assert below_peak(quiet) is quiet
    loud = quiet * 100
    after = below_peak(loud)
    assert max(true_peak(side) for side in after) == pytest.approx(LIMIT, rel=1e-4)
    np.testing.assert_allclose(after[0] / loud[0], after[1] / loud[1], rtol=1e-4)
