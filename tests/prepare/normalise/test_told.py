"""What a person would be told by looking: tracks to choose from, damage, gaps, cancelled channels, odd clocks."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest

from foleybench.api.dataset import Profile
from foleybench.errors import MediaError
from foleybench.media import demux
from foleybench.media.audio import read_sound
from foleybench.prepare.normalise.normalise import normalise
from tests.made_faults import pitch_hz, rewritten, tone, with_gap, write_tracks
from tests.made_media import RATE_HZ, click, click_time_s, pictures, write_video

TWO_S = Profile(name="test", clip_s=2.0)
FOUR_S = Profile(name="test", clip_s=4.0)


def moving(n: int, seed: int = 0) -> np.ndarray:
    """Return frames in which something moves, so that a packet refers to the one before it."""
    rng = np.random.default_rng(seed)
    base = np.kron(rng.integers(0, 255, (6, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    return np.stack([np.roll(base, 2 * k, axis=1) for k in range(n)])


def test_w4_the_default_picture_and_sound_are_taken(tmp_path: Path):
    """W4: the larger video and the audio with more channels are not the default ones, and are named."""
    small, large = pictures(50, 64, 48), moving(50).repeat(4, axis=1).repeat(4, axis=2)
    surround = np.concatenate([tone(2000, 2.0)[None], np.zeros((5, 2 * RATE_HZ), dtype=np.float32)])
    path = write_tracks(
        tmp_path / "two.mp4", [(small, True), (large, False)], [(tone(440, 2.0), True), (surround, False)]
    )
    sample = normalise(path, TWO_S)
    assert "other_tracks" in sample.facts["flags"]
    assert [words.partition(": ")[2] for words in sample.facts["other_tracks"]] == [
        "video, h264, 256x192",
        "audio, aac, 6 channels",
    ]
    assert (sample.facts["source_width"], sample.facts["source_channels"]) == (64, 1)
    audio, rate_hz = read_sound(sample.flac)
    assert pitch_hz(audio, rate_hz) == pytest.approx(440, abs=3)


def test_w4_one_of_each_is_nothing_to_tell(tmp_path: Path):
    facts = normalise(write_video(tmp_path / "a.mp4", pictures(50), audio=click(1.0, 2.0)), TWO_S).facts
    assert (facts["other_tracks"], facts["flags"]) == ([], [])


def test_w5_frames_that_a_decoder_calls_damaged_are_flagged(tmp_path: Path):
    """W5: a quarter of the first packet of the video is zeros; it decodes, but differs from the recording."""
    whole = write_video(tmp_path / "a.mp4", moving(50), audio=click(0.5, 2.0))
    assert normalise(whole, TWO_S).facts["n_corrupt_frames"] == 0
    with av.open(str(whole)) as container:
        packet = next(packet for packet in container.demux(video=0) if packet.size)
        position, size = packet.pos, packet.size
    data = bytearray(whole.read_bytes())
    # (The parameter sets and x264's own text stand before the frames.)
    first, last = position + size // 2, position + 3 * size // 4
    data[first:last] = bytes(last - first)
    (tmp_path / "b.mp4").write_bytes(bytes(data))
    facts = normalise(tmp_path / "b.mp4", TWO_S).facts
    assert facts["n_corrupt_frames"] > 0
    assert "damaged" in facts["flags"]


def test_w7_a_closed_gap_is_flagged(tmp_path: Path):
    """W7: a click at 2.045 s by its timestamp comes out at 2.000 s."""
    whole = write_video(tmp_path / "a.mkv", pictures(75), audio=click(2.0, 3.0), audio_codec="flac")
    assert normalise(whole, FOUR_S).facts["closed_gap_s"] == pytest.approx(0.0, abs=1e-3)
    sample = normalise(with_gap(whole, tmp_path / "b.mkv", 0.045), FOUR_S)
    assert click_time_s(*read_sound(sample.flac)) == pytest.approx(2.0, abs=2e-3)
    assert sample.facts["closed_gap_s"] == pytest.approx(0.045, abs=2e-3)
    assert "closed_gap" in sample.facts["flags"]


def test_r6_a_hole_is_flagged_and_silent(tmp_path: Path):
    """R6: a second without audio, between two stretches of it."""
    whole = write_video(tmp_path / "a.mkv", pictures(100), audio=tone(440, 3.0), audio_codec="flac")
    sample = normalise(with_gap(whole, tmp_path / "b.mkv", 1.0), FOUR_S)
    assert "sound_gap" in sample.facts["flags"]
    assert sample.facts["sound_gap_s"] == pytest.approx(1.0, abs=0.01)
    audio, rate_hz = read_sound(sample.flac)
    assert not audio[round(1.7 * rate_hz) : round(2.4 * rate_hz)].any()
    assert audio[round(2.7 * rate_hz) :].any()


@pytest.mark.parametrize("right", [-1.0, -0.9])
def test_w10_cancelled_channels_are_flagged_and_the_louder_is_taken(tmp_path: Path, right: float):
    """W10: their mean would be silent, or 26 dB quieter."""
    left = tone(440, 2.0)
    both = np.stack([left, np.float32(right) * left])
    sample = normalise(write_video(tmp_path / "a.mkv", pictures(50), audio=both, audio_codec="flac"), TWO_S)
    assert sample.facts["flags"] == ["cancelled"]
    assert sample.facts["mix_loss_db"] < -25
    np.testing.assert_allclose(read_sound(sample.flac)[0], left, atol=1e-3)


@pytest.mark.parametrize("ending", ["mkv", "mp4", "ts", "flv"])
def test_r6_a_file_may_start_late(tmp_path: Path, ending: str):
    """R6: at 5000 s; its length counts from there, so nothing was cut off."""
    audio = tone(440, 1.5, 44100)
    whole = write_video(tmp_path / f"a.{ending}", pictures(38), audio=audio, rate_hz=44100)

    def later(packet: av.Packet, time_s: float) -> av.Packet:
        shift = round(5000 / packet.time_base)
        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        return packet

    facts = normalise(rewritten(whole, tmp_path / f"b.{ending}", later), TWO_S).facts
    assert facts["duration_s"] == pytest.approx(1.52, abs=0.06)
    assert facts["flags"] == ["short"]


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_d3_a_jump_of_hours_costs_nothing(tmp_path: Path, kind: str):
    """D3: what comes after it lies beyond the clip."""
    whole = write_video(tmp_path / "a.mkv", pictures(75), audio=tone(440, 3.0), audio_codec="flac")
    sample = normalise(with_gap(whole, tmp_path / "b.mkv", 20_000.0, kind), FOUR_S)
    assert sample.facts["duration_s"] <= 4.0
    assert len(sample.flac) + len(sample.mp4) < 1_000_000
    flags = sample.facts["flags"]
    assert ("sound_gap" in flags and "partial_sound" in flags) if kind == "audio" else "mostly_still" in flags or flags


def test_d5_a_pipe_is_not_opened(tmp_path: Path):
    """D5: it would be waited for."""
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match="not_a_file: a pipe"):
        normalise(tmp_path / "a.mp4", TWO_S)


def test_a_picture_larger_than_its_container_says_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """D4: the limit on pixels holds for what the packets hold too."""
    whole = write_video(tmp_path / "a.mkv", pictures(25), audio=click(0.3, 1.0), audio_codec="flac")
    monkeypatch.setattr(demux, "MAX_PICTURE_PX", 64 * 48 - 1)
    with pytest.raises(MediaError, match="too_large"):
        normalise(whole, TWO_S)
    monkeypatch.setattr(demux, "_area", lambda stream: 1)
    with pytest.raises(MediaError, match="undecodable"):
        normalise(whole, TWO_S)
    monkeypatch.setattr(demux, "MAX_PICTURE_PX", 64 * 64)
    normalise(whole, TWO_S)
