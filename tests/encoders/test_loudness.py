"""Integrated loudness against values of the standard and of its test signals (ITU-R BS.2217, EBU Tech 3341)."""

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.encoder import Signal
from foleybench.errors import FoleyError
from foleybench.media.audio import resample
from foleybench.media.loudness import integrated_lufs

RATE_HZ = 48000


def sine(hz, seconds, level_db=0.0, rate_hz=RATE_HZ):
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def test_full_scale_sine_of_the_standard():
    assert integrated_lufs(sine(997, 5.0)) == pytest.approx(-3.01, abs=0.005)
    assert integrated_lufs(sine(997, 5.0, -20.0)) == pytest.approx(-23.01, abs=0.005)


def test_the_relative_gate_leaves_quiet_parts_out():
    """EBU Tech 3341, case 3, on one channel: 10 s at -36, 60 s at -23, 10 s at -36 has the loudness of the middle."""
    sound = np.concatenate([sine(997, 10, -33), sine(997, 60, -20), sine(997, 10, -33)])
    assert integrated_lufs(sound) == pytest.approx(-23.0, abs=0.1)


def test_the_absolute_gate_leaves_silence_out():
    sound = np.concatenate([sine(997, 4, -20), np.zeros(20 * RATE_HZ, np.float32)])
    assert integrated_lufs(sound) == pytest.approx(-23.01, abs=0.25)  # four blocks reach over the end of the tone


def test_the_filters_weigh_as_the_standard_says():
    """Hand-computed: gain of the two filters at a frequency, from their coefficients in the standard's tables."""
    for hz in (60.0, 997.0, 4000.0, 12000.0):
        z = np.exp(-2j * np.pi * hz / RATE_HZ)
        shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
            1 - 1.69065929318241 * z + 0.73248077421585 * z**2
        )
        high = (1 - z) ** 2 / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
        wanted = -0.691 + 10 * np.log10(abs(shelf * high) ** 2 / 2)
        assert integrated_lufs(sine(hz, 4.0)) == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize("rate_hz", [16000, 22050, 32000, 44100])
def test_sounds_of_other_rates(rate_hz):
    assert integrated_lufs(resample(sine(997, 5.0, -20.0, rate_hz), rate_hz, RATE_HZ)) == pytest.approx(
        -23.01, abs=0.02
    )


def test_silence_short_and_broken_sounds():
    assert integrated_lufs(np.zeros(RATE_HZ, np.float32)) == -70.0
    assert integrated_lufs(np.zeros(0, np.float32)) == -70.0
    assert integrated_lufs(sine(997, 0.2)) == pytest.approx(-3.01, abs=0.1)
    with pytest.raises(FoleyError, match="sample 1 "):
        integrated_lufs(np.array([0, np.nan], np.float32))


def test_the_encoder_gives_it():
    encode = registry.load("encoders", "loudness").build("cpu")
    features = encode([Signal(audio=sine(997, 1.0), duration_s=1.0)])[0]
    assert features["integrated_lufs"] == pytest.approx(-3.01, abs=0.02)
