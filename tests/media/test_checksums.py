"""What a container's own checksums say: nothing of a good file, something of one that was changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foleybench.media.checksums import MAX_BYTES, checksum_damage
from foleybench.media.hear import hear
from tests.made_media import write_video

RATE_HZ = 48000


def write(path: Path, codec: str, seconds: float = 4.0) -> Path:
    audio = np.random.default_rng(0).normal(0, 0.1, (2, round(seconds * RATE_HZ))).astype(np.float32)
    return write_video(path, None, audio=audio, rate_hz=RATE_HZ, audio_codec=codec)


@pytest.fixture(scope="module")
def ogg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("good") / "good.ogg", "libopus")


@pytest.fixture(scope="module")
def mkv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("good") / "good.mkv", "flac")


def remarks(path: Path, data: bytes) -> list[tuple[str, str]]:
    path.write_bytes(data)
    return [(remark.kind, remark.detail) for remark in hear(path).remarks if remark.kind == "damaged"]


def test_good_files_say_nothing(ogg: Path, mkv: Path):
    assert checksum_damage(ogg, "ogg") is checksum_damage(mkv, "matroska,webm") is None
    assert hear(ogg).remarks == hear(mkv).remarks == ()


def test_a_flipped_bit_of_an_ogg_page_is_told(ogg: Path, tmp_path: Path):
    """FFmpeg drops the page, and the sound is another one."""
    data = bytearray(ogg.read_bytes())
    data[len(data) // 2] ^= 1
    ((_, detail),) = remarks(tmp_path / "a.ogg", bytes(data))
    assert "1 stretches" in detail
    assert "1 pages are missing" in detail


def test_a_missing_page_and_a_missing_end_are_told(ogg: Path, tmp_path: Path):
    data = ogg.read_bytes()
    starts = [at for at in range(len(data)) if data[at : at + 4] == b"OggS"]
    assert len(starts) > 4
    without = data[: starts[3]] + data[starts[4] :]
    ((_, detail),) = remarks(tmp_path / "a.ogg", without)
    assert detail == "the Ogg file is damaged: 1 pages are missing"
    ((_, detail),) = remarks(tmp_path / "b.ogg", data[: starts[-1]])
    assert detail == "the Ogg file is damaged: its last page is missing"
    ((_, detail),) = remarks(tmp_path / "c.ogg", data[:-100])
    assert "its last page is missing" in detail


def test_a_flipped_bit_of_a_matroska_cluster_is_told(mkv: Path, tmp_path: Path):
    """Of 40 places spread over the file, each is told, or refused, or nothing is heard of it."""
    data, good = mkv.read_bytes(), hear(mkv).audio
    silent = []
    for at in range(len(data) // 3, len(data), len(data) // 40):
        changed = bytearray(data)
        changed[at] ^= 0x10
        path = tmp_path / "a.mkv"
        path.write_bytes(changed)
        heard = hear(path)
        if not heard.remarks and not np.array_equal(heard.audio, good):
            silent.append(at)
    assert silent == []


def test_flac_frames_are_checked_where_the_container_has_no_checksum(mkv: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("foleybench.media.hear.checksum_damage", lambda path, container: None)
    data = bytearray(mkv.read_bytes())
    data[len(data) // 2] ^= 1
    ((_, detail),) = remarks(tmp_path / "a.mkv", bytes(data))
    assert detail.startswith("1 of ")


def test_a_cut_matroska_file_is_told(mkv: Path, tmp_path: Path):
    data = mkv.read_bytes()
    ((_, detail),) = remarks(tmp_path / "a.mkv", data[: 2 * len(data) // 3])
    assert "is cut" in detail


def test_a_cut_webm_is_told_though_it_has_no_checksum(tmp_path: Path):
    data = write(tmp_path / "good.webm", "libopus").read_bytes()
    assert hear(tmp_path / "good.webm").remarks == ()
    ((_, detail),) = remarks(tmp_path / "a.webm", data[: 2 * len(data) // 3])
    assert detail == f"the Matroska file is cut: {len(data)} bytes are stated, {2 * len(data) // 3} are there"


def test_what_has_no_checksum_is_not_judged(tmp_path: Path, mkv: Path):
    data = bytearray(write(tmp_path / "a.webm", "libopus").read_bytes())
    data[-2000] ^= 1
    (tmp_path / "b.webm").write_bytes(data)
    assert checksum_damage(tmp_path / "b.webm", "matroska,webm") is None
    assert checksum_damage(mkv, "mov,mp4,m4a,3gp,3g2,mj2") is None


def test_a_large_file_is_not_read_for_it(tmp_path: Path):
    with (tmp_path / "large.ogg").open("wb") as handle:
        handle.truncate(MAX_BYTES + 1)
    assert checksum_damage(tmp_path / "large.ogg", "ogg") is None
