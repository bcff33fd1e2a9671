"""Rates with nothing in common: the same filter as with a table, in bounded memory and time."""

import time
import tracemalloc

import numpy as np
import pytest

from foleybench.media import sinc_direct
from foleybench.media.audio import resample
from foleybench.media.resample import resample_as

METHODS = ("torchaudio", "torchaudio_float32", "kaiser_best", "resampy", "julius")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("from_hz", "to_hz"), [(44100, 16000), (16000, 44100), (22050, 32000), (48000, 8000)])
def test_it_is_the_filter_of_the_table(method: str, from_hz: int, to_hz: int, monkeypatch: pytest.MonkeyPatch):
    audio = np.random.default_rng(0).uniform(-1, 1, 9001).astype(np.float32)
    with_table = resample_as(method, audio, from_hz, to_hz)
    monkeypatch.setattr(sinc_direct, "MAX_TABLE", 0)
    without = resample_as(method, audio, from_hz, to_hz)
    assert len(without) == len(with_table)
    assert np.abs(without - with_table).max() < 2e-6


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("from_hz", [44101, 11027, 47999])
def test_d4_an_odd_rate_costs_little(method: str, from_hz: int):
    """D4: a rate in a header that has nothing in common with the encoder's; a table would take gigabytes."""
    audio = np.sin(2 * np.pi * 440 * np.arange(from_hz) / from_hz).astype(np.float32)
    tracemalloc.start()
    started = time.process_time()
    try:
        found = resample_as(method, audio, from_hz, 48000)
        peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    assert peak_mb < 100
    assert time.process_time() - started < 20
    wanted = np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    assert np.abs(found - wanted)[2000:-2000].max() < 5e-3


def test_an_empty_sound_stays_empty():
    assert len(resample(np.zeros(0, dtype=np.float32), 44101, 48000)) == 0
