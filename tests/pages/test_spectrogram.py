"""Spectrograms: a tone lies where its pitch is, the size is bounded, bytes repeat."""

import io

import numpy as np
import pytest
from matplotlib import image

from foleybench.pages import spectrogram


def tone(hz, seconds=1.0, rate_hz=16000):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def pixels(levels):
    return image.imread(io.BytesIO(spectrogram.png(levels, float(levels.max()))))


def test_pitch_is_height():
    rows = [
        int(pixels(spectrogram.levels_db(tone(hz), 16000))[..., :3].sum(axis=(1, 2)).argmax()) for hz in (200, 2000)
    ]
    assert rows[0] > rows[1]  # low sounds at the bottom


@pytest.mark.parametrize(("seconds", "rate_hz"), [(0.01, 16000), (4.0, 8000), (4.0, 44100), (100.0, 16000)])
def test_size_is_bounded(seconds, rate_hz):
    levels = spectrogram.levels_db(tone(300, seconds, rate_hz), rate_hz)
    assert 1 <= len(levels) <= 721
    assert pixels(levels).shape[:2] == (80, len(levels))


def test_same_sound_same_bytes():
    levels = spectrogram.levels_db(tone(300), 16000)
    assert spectrogram.png(levels, 0.0) == spectrogram.png(levels, 0.0)
    assert b"atplotlib" not in spectrogram.png(levels, 0.0)


def test_silence_is_black_beside_a_sound():
    levels = spectrogram.levels_db(np.zeros(16000, dtype=np.float32), 16000)
    picture = image.imread(io.BytesIO(spectrogram.png(levels, 0.0)))
    assert picture[..., :3].max() < 0.05
