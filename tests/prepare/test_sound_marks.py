"""Marks meet audio that starts later, at its shift, and no other audio."""

from __future__ import annotations

import numpy as np
import pytest

from foleybench.media.audio import resample
from foleybench.prepare.sound_marks import HOP_S, MarkIndex, sound_marks
from tests.prepare.normalise.test_fingerprint import sound

RATE_HZ = 16000


@pytest.fixture(scope="module")
def index() -> MarkIndex:
    return MarkIndex([sound_marks(sound(seed, rate_hz=44100), 44100) for seed in range(6)])


@pytest.mark.parametrize("shift_s", [0.0, 0.5, 2.0, 2.007, 4.3])
def test_a_later_start_is_met_at_its_shift(index: MarkIndex, shift_s: float):
    late = sound(3, rate_hz=44100)[round(shift_s * 44100) :]
    noise = np.random.default_rng(0).normal(0, 1e-3, len(late)).astype(np.float32)
    (found,) = index.meet(sound_marks(0.3 * late + noise, 44100))
    assert found.place == 3
    assert found.shift_s == pytest.approx(shift_s, abs=HOP_S)


def test_frames_of_marks_are_16_ms_apart():
    audio = sound(5)
    own, late = (sound_marks(one, RATE_HZ) for one in (audio, np.concatenate([np.zeros(100 * 256, np.float32), audio])))
    np.testing.assert_array_equal(late.codes, own.codes)
    np.testing.assert_array_equal(late.frames, own.frames + 100)


def test_an_earlier_start_has_a_negative_shift(index: MarkIndex):
    early = np.concatenate([sound(9, 3.0, 44100), sound(2, rate_hz=44100)])
    (found,) = index.meet(sound_marks(early, 44100))
    assert (found.place, round(found.shift_s)) == (2, -3)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 48000])
def test_another_rate_is_met(index: MarkIndex, rate_hz: int):
    late = resample(sound(4, rate_hz=44100)[88200:], 44100, rate_hz)
    (found,) = index.meet(sound_marks(late, rate_hz))
    assert (found.place, found.shift_s) == (4, pytest.approx(2.0, abs=HOP_S))


def test_other_sounds_are_not_met(index: MarkIndex):
    assert [list(index.meet(sound_marks(sound(seed), RATE_HZ))) for seed in range(20, 30)] == [[]] * 10
    noise = np.random.default_rng(1).normal(0, 0.1, 8 * RATE_HZ).astype(np.float32)
    assert list(index.meet(sound_marks(noise, RATE_HZ))) == []


@pytest.mark.parametrize("audio", [np.zeros(RATE_HZ), np.zeros(0), np.ones(100), np.full(RATE_HZ, 0.5)])
def test_what_has_no_peaks_has_no_marks(index: MarkIndex, audio: np.ndarray):
    marks = sound_marks(audio.astype(np.float32), RATE_HZ)
    assert list(index.meet(marks)) == []


def test_a_steady_siren_says_nothing():
    """Its codes are in the index hundreds of times: too many to tell one siren from another."""
    t = np.arange(8 * RATE_HZ) / RATE_HZ
    siren = (0.5 * np.sin(2 * np.pi * (700 * t + 20 * np.cos(2 * np.pi * 3 * t)))).astype(np.float32)
    marks = sound_marks(siren, RATE_HZ)
    index = MarkIndex([marks] * 300)
    assert list(index.meet(marks)) == []
