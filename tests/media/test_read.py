"""Reading and writing media: clocks, orientation, hostile files, bytes that never change."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.plane import AudioPlane

from foleybench.errors import MediaError
from foleybench.media.audio_track import SoundTrack, mono
from foleybench.media.demux import Reader, choose_tracks, open_media
from foleybench.media.read import decode_mp4, encode_mp4, mux_sound, read_media_sound, read_video
from tests.made_faults import theora
from tests.made_media import RATE_HZ, click, click_time_s, index_of, pictures, write_video

ENCODE = """
import hashlib, numpy as np
from foleybench.media.read import encode_mp4
rng = np.random.default_rng(0)
for width, height in ((340, 90), (222, 130), (398, 64)):
    base = rng.integers(0, 255, (30, 40, 3)).astype(np.uint8)
    image = base[np.linspace(0, 29, height).astype(int)][:, np.linspace(0, 39, width).astype(int)]
    data = encode_mp4(np.stack([np.roll(image, 3 * k, 1) for k in range(10)]), 25.0)
    print(hashlib.sha256(data).hexdigest())
"""


@pytest.mark.slow
def test_encoded_bytes_do_not_depend_on_what_the_memory_held():
    # glibc fills fresh memory with another byte for each value, so any read of memory that was never written shows.
    def run(fill: str) -> str:
        environment = {**os.environ, "MALLOC_PERTURB_": fill}
        return subprocess.run(
            [sys.executable, "-c", ENCODE], env=environment, check=True, capture_output=True, text=True
        ).stdout

    assert run("1") == run("77") == run("200")


def test_decode_returns_every_frame_with_its_time():
    frames, times = decode_mp4(encode_mp4(pictures(10), 12.5))
    assert [index_of(image) for image in frames] == list(range(10))
    np.testing.assert_allclose(times, np.arange(10) / 12.5, atol=1e-6)


@pytest.mark.parametrize("data", [b"", b"no video at all", encode_mp4(pictures(5), 25.0)[:200]])
def test_decode_refuses_what_is_no_video(data: bytes):
    with pytest.raises(MediaError, match="undecodable"):
        decode_mp4(data)


def test_variable_rate_keeps_its_times_and_a_grid_shows_the_frame_on_screen(tmp_path: Path):
    times = [0.0, 0.04, 0.5, 0.54, 0.9]
    path = write_video(tmp_path / "vfr.mp4", pictures(5), times_s=times)
    clip = read_video(path)
    np.testing.assert_allclose(clip.frame_times_s, times, atol=1e-3)
    on_grid = read_video(path, fps=10.0)
    assert [index_of(image) for image in on_grid.frames] == [0, 1, 1, 1, 1, 2, 3, 3, 3, 4]
    np.testing.assert_allclose(on_grid.frame_times_s, np.arange(10) / 10)


@pytest.mark.parametrize(("n", "fps"), [(25, 25.0), (7, 12.5), (40, 23.976), (61, 60.0)])
def test_length_is_that_of_the_picture(tmp_path: Path, n: int, fps: float):
    path = write_video(tmp_path / "v.mp4", pictures(n), fps=fps)
    assert read_video(path).duration_s == pytest.approx(n / fps, abs=2e-3)


def test_max_s_cuts(tmp_path: Path):
    path = write_video(tmp_path / "v.mp4", pictures(50), audio=click(0.3, 2.0))
    clip = read_video(path, max_s=1.0, with_audio=True)
    assert clip.duration_s == 1.0
    assert len(clip.frames) == 25
    assert clip.frame_times_s[-1] < 1.0
    assert len(clip.audio) == RATE_HZ


def test_a_video_without_sound_is_a_clip_without_sound(tmp_path: Path):
    clip = read_video(write_video(tmp_path / "a.b.mp4", pictures(5)), with_audio=True)
    assert clip.audio is None
    assert clip.rate_hz == 0
    assert "." not in clip.clip_id


def test_sound_is_laid_on_the_clock_of_the_picture(tmp_path: Path):
    # The video starts 0.5 s after the audio; the click at 0.8 s of the file is at 0.3 s of the video.
    times = [0.5 + k / 25 for k in range(25)]
    path = write_video(tmp_path / "late.mkv", pictures(25), times_s=times, audio=click(0.8, 1.5))
    clip = read_video(path, with_audio=True)
    assert clip.frame_times_s[0] == 0.0
    assert click_time_s(clip.audio, clip.rate_hz) == pytest.approx(0.3, abs=2e-3)


def test_short_side_is_scaled_down_and_never_up(tmp_path: Path):
    path = write_video(tmp_path / "v.mp4", pictures(2, width=128, height=64))
    assert read_video(path, short_side_px=32).frames.shape[1:3] == (32, 64)
    assert read_video(path, short_side_px=100).frames.shape[1:3] == (64, 128)


def test_wide_pixels_become_square(tmp_path: Path):
    path = write_video(tmp_path / "v.mp4", pictures(2, width=64, height=64), aspect=Fraction(2, 1))
    assert read_video(path).frames.shape[1:3] == (64, 128)


ONE = 1 << 16
LAST = [0, 0, 1 << 30]
QUADRANTS = np.array([[40, 90], [150, 220]], dtype=np.uint8)  # top left, top right; bottom left, bottom right


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([ONE, 0, 0, 0, ONE, 0], [[40, 90], [150, 220]]),
        # (x, y) -> (-y, x): a quarter turn clockwise on screen.
        ([0, ONE, 0, -ONE, 0, 0], [[150, 40], [220, 90]]),
        ([-ONE, 0, 0, 0, -ONE, 0], [[220, 150], [90, 40]]),
        ([0, -ONE, 0, ONE, 0, 0], [[90, 220], [40, 150]]),
        ([-ONE, 0, 0, 0, ONE, 0], [[90, 40], [220, 150]]),
        # Nonsense is ignored.
        ([ONE, ONE, 0, 17, ONE, 0], [[40, 90], [150, 220]]),
        ([0, 0, 0, 0, 0, 0], [[40, 90], [150, 220]]),
    ],
)
def test_the_display_matrix_is_obeyed(tmp_path: Path, matrix: list[int], expected: list[list[int]]):
    image = np.repeat(np.repeat(QUADRANTS, 48, axis=0), 64, axis=1)
    frames = np.repeat(np.stack([image] * 2)[..., None], 3, axis=3)
    path = write_video(tmp_path / "turned.mov", frames, matrix=[*matrix, *LAST])
    upright = read_video(path).frames[0]
    high, wide = upright.shape[0] // 2, upright.shape[1] // 2
    corners = [[upright[high // 2 + dy, wide // 2 + dx].mean() for dx in (0, wide)] for dy in (0, high)]
    np.testing.assert_allclose(corners, expected, atol=6)


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("empty.mp4", b"", "empty_file"),
        ("page.mp4", b"<!doctype html><html>not found</html>", "unreadable"),
        ("list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n", "unreadable"),
        ("script.mp4", b"ffconcat version 1.0\nfile other.mp4\n", "unreadable"),
        ("sub.mp4", b"1\n00:00:00,000 --> 00:00:01,000\nhello\n", "unreadable"),
    ],
)
def test_what_is_no_video_is_unreadable(tmp_path: Path, name: str, content: bytes, status: str):
    write_video(tmp_path / "other.mp4", pictures(5))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError) as caught:
        read_video(tmp_path / name)
    assert caught.value.status == status


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(MediaError, match="missing"), open_media(tmp_path / "none.mp4"):
        pass


def test_a_name_that_looks_like_a_protocol_is_a_file(tmp_path: Path):
    path = write_video(tmp_path / "x.mp4", pictures(3)).rename(tmp_path / "concat:a|b%03d.mp4")
    assert len(read_video(path).frames) == 3


@pytest.mark.parametrize(("name", "codec"), [("v.mp4", "libx264"), ("v.mkv", "libx264"), ("v.avi", "mpeg4")])
@pytest.mark.parametrize("rate_hz", [16000, 44100])
def test_mux_puts_the_sound_under_the_picture(tmp_path: Path, name: str, codec: str, rate_hz: int):
    source = write_video(tmp_path / name, pictures(25), codec=codec, audio=click(0.1, 1.0), audio_codec="mp3")
    audio = click(0.4, 1.0, rate_hz)
    mux_sound(source, audio, rate_hz, tmp_path / "out" / "new.mp4")
    clip = read_video(tmp_path / "out" / "new.mp4", with_audio=True)
    assert [index_of(image) for image in clip.frames] == list(range(25))
    assert clip.duration_s == pytest.approx(read_video(source).duration_s, abs=2e-3)
    assert click_time_s(clip.audio, clip.rate_hz) == pytest.approx(0.4, abs=1e-3)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new.mp4"]


def test_mux_copies_what_an_mp4_takes_and_encodes_what_it_does_not(tmp_path: Path):
    copied = write_video(tmp_path / "v.mkv", pictures(10))
    mux_sound(copied, click(0.1, 0.4), RATE_HZ, tmp_path / "a.mp4")
    encoded = write_video(tmp_path / "v.avi", pictures(10), codec="mpeg4")
    mux_sound(encoded, click(0.1, 0.4), RATE_HZ, tmp_path / "b.mp4")

    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            assert container.streams.video[0].codec_context.name == "h264"
            return [bytes(packet) for packet in container.demux(video=0) if packet.size]

    assert len(packets(tmp_path / "b.mp4")) == 10
    assert [len(p) for p in packets(tmp_path / "a.mp4")] == [len(p) for p in packets(copied)]


def test_mux_starts_both_at_zero(tmp_path: Path):
    late = write_video(
        tmp_path / "late.mkv", pictures(10), times_s=[2 + k / 25 for k in range(10)], audio=click(0, 2.4)
    )
    mux_sound(late, click(0.2, 0.4), RATE_HZ, tmp_path / "new.mp4")
    clip = read_video(tmp_path / "new.mp4", with_audio=True)
    assert [index_of(image) for image in clip.frames] == list(range(10))
    assert click_time_s(clip.audio, clip.rate_hz) == pytest.approx(0.2, abs=1e-3)


def test_mux_leaves_nothing_behind_when_it_fails(tmp_path: Path):
    sound_only = write_video(tmp_path / "s.m4a", None, audio=click(0.1, 0.5))
    with pytest.raises(MediaError, match="no_video"):
        mux_sound(sound_only, click(0.1, 0.5), RATE_HZ, tmp_path / "out" / "new.mp4")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "codec"), [("s.m4a", "aac"), ("s.mp3", "mp3"), ("s.wav", "pcm_s16le"), ("s.flac", "flac")]
)
def test_sound_files_start_where_they_were_written(tmp_path: Path, name: str, codec: str):
    path = write_video(tmp_path / name, None, audio=click(0.25, 1.0), audio_codec=codec)
    audio, rate_hz = read_media_sound(path)
    assert rate_hz == RATE_HZ
    assert click_time_s(audio, rate_hz) == pytest.approx(0.25, abs=1e-3)


def test_sound_that_starts_late_begins_with_silence(tmp_path: Path):
    path = write_video(tmp_path / "v.mkv", pictures(25), audio=click(0.0, 0.5), audio_start_s=0.4)
    audio, rate_hz = read_media_sound(path)
    assert click_time_s(audio, rate_hz) == pytest.approx(0.4, abs=3e-3)


def test_reading_sound_names_the_cause(tmp_path: Path):
    with pytest.raises(MediaError, match="no_audio"):
        read_media_sound(write_video(tmp_path / "v.mp4", pictures(5)))
    (tmp_path / "x.m4a").write_bytes(b"nothing")
    with pytest.raises(MediaError, match="unreadable"):
        read_media_sound(tmp_path / "x.m4a")


def _frame(samples: np.ndarray, layout: str, rate_hz: int = 1000) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.atleast_2d(samples).astype(np.float32), format="fltp", layout=layout)
    frame.sample_rate = rate_hz
    return frame


def test_downmix_is_the_mean_without_the_subwoofer():
    assert mono(_frame(np.array([[0.2], [0.6]]), "stereo"))[0] == pytest.approx(0.4)
    # 5.1 is left, right, centre, low-frequency effects, two surrounds.
    surround = np.array([[0.1], [0.2], [0.3], [0.9], [0.4], [0.5]])
    assert mono(_frame(surround, "5.1"))[0] == pytest.approx(0.3)


@pytest.mark.parametrize(("layout", "n", "expected"), [("7.1", 8, 25 / 7 / 8), ("hexadecagonal", 16, 7.5 / 8)])
def test_eight_channels_and_more_are_read_within_bounds(layout: str, n: int, expected: float):
    """PyAV finds nine planes in a planar frame of eight channels: 18.1 crashes on reading the ninth, 19 raises."""
    frame = av.AudioFrame(format="fltp", layout=layout, samples=8)
    for k, plane in enumerate(AudioPlane(frame, k) for k in range(n)):
        plane.update(np.full(plane.buffer_size // 4, k / 8, dtype=np.float32).tobytes())
    assert mono(frame)[:8] == pytest.approx(np.full(8, expected), abs=1e-6)  # (7.1 without its fourth channel)


@pytest.mark.parametrize(("sample_format", "value"), [("s16", 16384), ("s32", 1 << 30), ("u8", 192)])
def test_whole_numbers_become_floats(sample_format: str, value: int):
    dtype = {"s16": np.int16, "s32": np.int32, "u8": np.uint8}[sample_format]
    frame = av.AudioFrame.from_ndarray(np.full((1, 8), value, dtype=dtype), format=sample_format, layout="stereo")
    np.testing.assert_allclose(mono(frame), np.full(4, 0.5))


def test_sound_that_is_not_finite_is_refused():
    with pytest.raises(MediaError, match="not_finite"):
        mono(_frame(np.array([0.0, np.nan]), "mono"))


def test_soundtrack_pads_gaps_cuts_overlaps_and_ignores_jitter():
    track = SoundTrack()
    track.add(_frame(np.full(100, 0.1), "mono"), -0.05)  # Half of it before the clip.
    track.add(_frame(np.full(100, 0.2), "mono"), 0.06)  # 10 ms late: jitter, laid end to end.
    track.add(_frame(np.full(100, 0.3), "mono"), 0.30)  # A real gap.
    track.add(_frame(np.full(100, 0.4), "mono"), 0.30)  # The same time again: nothing new.
    track.add(_frame(np.full(100, 0.5), "mono"), 0.32)  # Starts 80 ms before the end of the last: cut.
    expected = np.concatenate([np.full(n, v) for n, v in ((50, 0.1), (100, 0.2), (150, 0.0), (100, 0.3), (20, 0.5))])
    np.testing.assert_allclose(track.samples(), expected)
    assert track.first_s == 0.0
    assert track.end_s == pytest.approx(0.42)
    assert len(track.samples(10)) == 10
    assert len(track.samples(1000)) == 1000


def test_r2_empty_packets_show_the_last_picture_again(tmp_path: Path):
    """R2: as Theora has them; they are no damage, and the video lasts as long as they say."""
    (tmp_path / "a.ogv").write_bytes(theora())
    clip = read_video(tmp_path / "a.ogv")
    assert clip.duration_s == pytest.approx(2.0, abs=1e-3)
    assert len(clip.frames) == 50
    np.testing.assert_allclose(clip.frame_times_s, np.arange(50) / 25, atol=1e-6)
    with open_media(tmp_path / "a.ogv") as container:
        reader = Reader(container, choose_tracks(container), 0.0)
        assert len(list(reader)) == 50
    assert (reader.n_damaged, reader.n_corrupt) == (0, 0)
