"""The rate in a FLAC file's head is held against that of its frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from foleybench.media.flac_head import frame_rate_hz
from foleybench.media.hear import hear

NOISE = np.random.default_rng(0).normal(0, 0.1, 5000)


@pytest.mark.parametrize("rate_hz", [8000, 11000, 12345, 16000, 22050, 44100, 48000, 64500, 96000])
@pytest.mark.parametrize("n", [100, 300, 5000])
def test_every_way_to_state_a_rate(tmp_path: Path, rate_hz: int, n: int):
    """By a code, in kHz, in Hz and in tens of Hz, behind frame sizes of all lengths."""
    path = tmp_path / "a.flac"
    soundfile.write(path, NOISE[:n], rate_hz, subtype="PCM_16")
    assert frame_rate_hz(path) == rate_hz
    assert hear(path).remarks == ()


def test_another_rate_in_the_head_is_told(tmp_path: Path):
    """The MD5 does not cover it: the samples are right, and would be heard at another pitch."""
    path = tmp_path / "a.flac"
    soundfile.write(path, NOISE, 44100, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    data[18:20] = (44000 >> 4).to_bytes(2, "big")
    path.write_bytes(data)
    heard = hear(path)
    assert heard.rate_hz != 44100
    assert [remark.kind for remark in heard.remarks] == ["damaged"]


@pytest.mark.parametrize("data", [b"", b"fLaC", b"RIFF" + bytes(40), b"fLaC" + b"\x80\0\0\x04" + bytes(30)])
def test_what_is_no_flac_states_none(tmp_path: Path, data: bytes):
    path = tmp_path / "a.flac"
    path.write_bytes(data)
    assert frame_rate_hz(path) is None
