"""Reading, writing and resampling audio."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from foleybench.errors import MediaError
from foleybench.media.audio import fit_length, flac_bytes, read_sound, resample, write_wav


def test_channels_are_averaged(tmp_path: Path):
    soundfile.write(tmp_path / "x.wav", np.array([[0.5, 0.0], [0.25, 0.75]]), 8000, subtype="FLOAT")
    audio, rate_hz = read_sound(tmp_path / "x.wav")
    np.testing.assert_allclose(audio, [0.25, 0.5])
    assert rate_hz == 8000
    assert audio.dtype == np.float32


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_not_finite_is_refused(tmp_path: Path, value: float):
    soundfile.write(tmp_path / "x.wav", np.array([0.0, value, 0.0]), 8000, subtype="FLOAT")
    with pytest.raises(MediaError, match="not_finite"):
        read_sound(tmp_path / "x.wav")


@pytest.mark.parametrize("content", [b"", b"RIFF", b"<html>"])
def test_what_is_no_sound_is_undecodable(tmp_path: Path, content: bytes):
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(MediaError, match="undecodable"):
        read_sound(tmp_path / "x.wav")
    with pytest.raises(MediaError, match="undecodable"):
        read_sound(content)


def test_flac_is_exact_to_16_bits_and_clips():
    wanted = np.array([0.0, 0.5, -0.5, 1.5, -2.0], dtype=np.float32)
    audio, rate_hz = read_sound(flac_bytes(wanted, 22050))
    np.testing.assert_allclose(audio, [0.0, 0.5, -0.5, 1.0, -1.0], atol=1 / 32768)
    assert rate_hz == 22050
    assert flac_bytes(wanted, 22050) == flac_bytes(wanted, 22050)


def test_wav_appears_whole(tmp_path: Path):
    write_wav(tmp_path / "deep" / "x.wav", np.zeros(10, dtype=np.float32), 8000)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["x.wav"]


@pytest.mark.parametrize(
    ("n", "from_hz", "to_hz"), [(16000, 16000, 44100), (44100, 44100, 16000), (12345, 22050, 16000), (1, 8000, 48000)]
)
def test_resampled_length_is_rounded(n: int, from_hz: int, to_hz: int):
    assert len(resample(np.zeros(n, dtype=np.float32), from_hz, to_hz)) == round(n * to_hz / from_hz)


def test_resampling_keeps_a_tone():
    tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
    expected = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    assert np.abs(resample(tone, 16000, 44100) - expected)[500:-500].max() < 5e-3
    assert resample(tone, 16000, 16000) is tone


@pytest.mark.parametrize(("n", "wanted"), [(5, 3), (5, 5), (5, 8), (0, 2)])
def test_fit_length(n: int, wanted: int):
    fitted = fit_length(np.ones(n, dtype=np.float32), wanted)
    assert len(fitted) == wanted
    assert fitted.sum() == min(n, wanted)


def test_torch_is_imported_only_to_resample():
    modules = "foleybench.media.audio, foleybench.media.read, foleybench.prepare.normalise.normalise"
    code = f"import sys, {modules}\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
