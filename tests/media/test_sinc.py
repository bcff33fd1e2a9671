"""The resampler against torchaudio's own, bit for bit, and by hand."""

import numpy as np
import pytest
import torch

from foleybench.media import sinc

RATES = [(44100, 16000), (48000, 16000), (16000, 48000), (22050, 32000), (48000, 44100), (32000, 24000), (8000, 8010)]
KAISER = sinc.Filter(zeros=64, rolloff=0.9475937167399596, window="kaiser", beta=14.769656459379492)


def sound(n: int, seed: int = 0):
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@pytest.mark.parametrize("low_pass", [sinc.HANN, KAISER], ids=["hann", "kaiser"])
def test_the_same_bits_as_torchaudio(from_hz, to_hz, low_pass):
    torchaudio = pytest.importorskip("torchaudio")  # the extra `encoders`
    audio = sound(5001)
    settings = {"lowpass_filter_width": low_pass.zeros, "rolloff": low_pass.rolloff}
    if low_pass.window == "kaiser":
        settings |= {"resampling_method": "sinc_interp_kaiser", "beta": low_pass.beta}
    theirs = torchaudio.transforms.Resample(from_hz, to_hz, **settings)(torch.from_numpy(audio)).numpy()
    np.testing.assert_array_equal(sinc.sinc_resample(audio, from_hz, to_hz, low_pass), theirs)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_filter_in_float32_has_the_bits_of_torchaudios_function(from_hz, to_hz):
    torchaudio = pytest.importorskip("torchaudio")  # the extra `encoders`
    audio = sound(5001)
    theirs = torchaudio.functional.resample(torch.from_numpy(audio), from_hz, to_hz).numpy()
    np.testing.assert_array_equal(sinc.sinc_resample(audio, from_hz, to_hz, sinc.HANN_FLOAT32), theirs)


@pytest.mark.slow
def test_rates_with_nothing_in_common_are_as_torchaudio_has_them():
    """Without torchaudio's table, which has four times as many entries as are made here; see ``sinc_direct``."""
    torchaudio = pytest.importorskip("torchaudio")  # the extra `encoders`
    audio = sound(5001)
    theirs = torchaudio.transforms.Resample(4000, 4001)(torch.from_numpy(audio)).numpy()
    np.testing.assert_allclose(sinc.sinc_resample(audio, 4000, 4001), theirs, atol=2e-6)
    theirs = torchaudio.functional.resample(torch.from_numpy(audio), 4000, 4001).numpy()
    np.testing.assert_allclose(sinc.sinc_resample(audio, 4000, 4001, sinc.HANN_FLOAT32), theirs, atol=2e-6)


def test_the_default_filter_by_hand():
    """From 2 to 1 Hz, one phase: taps every half crossing of a sinc of cut-off 0.99, under a Hann window."""
    filters, reach = sinc._filters(2, 1, sinc.HANN)
    assert reach == 13  # ceil(6 * 2 / 0.99)
    crossings = np.clip(np.arange(-13, 15) / 2 * 0.99, -6, 6)
    expected = np.sinc(crossings) * np.cos(np.pi * crossings / 12) ** 2 * 0.99 / 2
    np.testing.assert_allclose(filters[0, 0].numpy(), expected, atol=1e-7)


def test_a_constant_stays_and_the_length_is_rounded_up():
    found = sinc.sinc_resample(np.ones(1001, dtype=np.float32), 3, 2)
    assert len(found) == 668
    np.testing.assert_allclose(found[20:-20], 1.0, atol=2e-3)


def test_no_sound_gives_none():
    assert len(sinc.sinc_resample(np.zeros(0, dtype=np.float32), 3, 2)) == 0
