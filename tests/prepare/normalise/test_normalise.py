"""One file to one sample: the common clock, the statuses, the flags."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from foleybench.api.dataset import PROFILES, Profile, Sample
from foleybench.errors import MediaError
from foleybench.media.audio import read_sound
from foleybench.media.read import decode_mp4
from foleybench.prepare.normalise.normalise import normalise
from tests.made_media import RATE_HZ, click, click_time_s, index_of, pictures, write_video

TWO_S = Profile(name="test", clip_s=2.0)


def shown(sample: Sample) -> list[int]:
    return [index_of(image) for image in decode_mp4(sample.mp4)[0]]


def heard(sample: Sample) -> tuple[np.ndarray, int]:
    return read_sound(sample.flac)


def test_a_plain_clip(tmp_path: Path):
    path = write_video(tmp_path / "v.mp4", pictures(60), audio=click(1.0, 2.4))
    sample = normalise(path, TWO_S, asked_start_s=30.0)
    assert shown(sample) == [k % 28 for k in range(50)]
    audio, rate_hz = heard(sample)
    assert len(audio) == 2 * RATE_HZ
    assert click_time_s(audio, rate_hz) == pytest.approx(1.0, abs=1e-3)
    wanted = {
        "asked_start_s": 30.0,
        "asked_duration_s": 2.0,
        "duration_s": 2.0,
        "n_frames": 50,
        "fps": 25.0,
        "rate_hz": RATE_HZ,
        "source_rate_hz": RATE_HZ,
        "source_channels": 1,
        "source_fps": 25.0,
        "width": 64,
        "height": 48,
        "n_damaged_packets": 0,
        "flags": [],
    }
    assert {key: sample.facts[key] for key in wanted} == wanted
    assert sample.facts["av_offset_s"] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(("sound_s", "duration_s"), [(1.03, 1.04), (1.01, 1.0)])
def test_the_last_second_that_is_there_is_not_the_grids(tmp_path: Path, sound_s: float, duration_s: float):
    """Clips last whole frames of 40 ms; what was shown or heard ends where it ends, and never after the clip."""
    path = write_video(tmp_path / "v.mkv", pictures(25), audio=click(0.5, sound_s), audio_codec="flac")
    facts = normalise(path, TWO_S, asked_start_s=30.0).facts
    assert facts["duration_s"] == pytest.approx(duration_s)
    assert facts["real_start_s"] == pytest.approx(30.0, abs=1e-3)
    assert facts["real_end_s"] == pytest.approx(30.0 + min(sound_s, duration_s), abs=2e-3)


def test_the_same_bytes_twice(tmp_path: Path):
    path = write_video(tmp_path / "v.mp4", pictures(30, width=340, height=90), audio=click(0.5, 1.2))
    assert normalise(path, TWO_S) == normalise(path, TWO_S)


def test_variable_rate_is_resampled_by_timestamp(tmp_path: Path):
    path = write_video(
        tmp_path / "v.mkv", pictures(4), times_s=[0.0, 0.1, 0.7, 0.8], audio=click(0.1, 1.0), audio_codec="flac"
    )
    sample = normalise(path, TWO_S)
    # A frame is shown from the nearest k / 25 on: 0.1 s lies between 2 / 25 and 3 / 25 and goes to the later one.
    expected = [0] * 3 + [1] * 15 + [2] * 2 + [3] * 5
    assert shown(sample) == expected


@pytest.mark.parametrize(("time_s", "first_grid"), [(0.41, 10), (0.419, 10), (0.421, 11), (0.43, 11), (0.44, 11)])
def test_an_event_is_shown_at_the_nearest_grid_time(tmp_path: Path, time_s: float, first_grid: int):
    path = write_video(
        tmp_path / "v.mkv", pictures(2), times_s=[0.0, time_s], audio=click(0.1, 1.0), audio_codec="flac"
    )
    assert shown(normalise(path, TWO_S)).index(1) == first_grid


def test_twice_the_rate_keeps_every_second_frame(tmp_path: Path):
    path = write_video(tmp_path / "v.mkv", pictures(28), times_s=[k / 50 for k in range(28)], audio=click(0.1, 0.5))
    assert shown(normalise(path, TWO_S))[:14] == list(range(0, 28, 2))


def test_picture_that_starts_late_is_padded_with_its_first_frame(tmp_path: Path):
    times = [0.6 + k / 25 for k in range(20)]
    path = write_video(tmp_path / "v.mkv", pictures(20), times_s=times, audio=click(0.2, 1.4))
    sample = normalise(path, TWO_S)
    assert shown(sample) == [0] * 15 + list(range(20))
    assert click_time_s(*heard(sample)) == pytest.approx(0.2, abs=3e-3)
    assert sample.facts["av_offset_s"] == pytest.approx(0.6, abs=2e-2)
    assert {"out_of_step", "partial_picture"} <= set(sample.facts["flags"])


def test_sound_that_starts_late_is_padded_with_silence(tmp_path: Path):
    path = write_video(tmp_path / "v.mkv", pictures(50), audio=click(0.0, 1.0), audio_start_s=0.5)
    sample = normalise(path, TWO_S)
    audio, rate_hz = heard(sample)
    assert click_time_s(audio, rate_hz) == pytest.approx(0.5, abs=3e-3)
    assert sample.facts["av_offset_s"] == pytest.approx(-0.5, abs=3e-2)
    assert {"out_of_step", "partial_sound"} <= set(sample.facts["flags"])
    assert len(audio) == 2 * RATE_HZ


def test_what_ends_early_is_held_or_silent(tmp_path: Path):
    path = write_video(tmp_path / "v.mkv", pictures(10), audio=click(0.1, 1.0), audio_codec="flac")
    sample = normalise(path, TWO_S)
    assert shown(sample) == [*range(10), *[9] * 15]
    assert sample.facts["duration_s"] == 1.0
    assert sample.facts["video_duration_s"] == pytest.approx(0.4, abs=2e-3)
    assert sample.facts["flags"] == ["partial_picture", "short"]


def test_sizes(tmp_path: Path):
    large = write_video(tmp_path / "l.mp4", pictures(13, width=640, height=360), audio=click(0.1, 0.6))
    assert _size(normalise(large, PROFILES["default"])) == (456, 256)
    assert _size(normalise(large, PROFILES["paper"])) == (224, 224)
    small = write_video(tmp_path / "s.mkv", pictures(13, width=32, height=22), audio=click(0.1, 0.6))
    assert _size(normalise(small, PROFILES["default"])) == (32, 22)
    tiny = write_video(tmp_path / "t.mkv", pictures(13, width=8, height=4), audio=click(0.1, 0.6))
    assert _size(normalise(tiny, PROFILES["default"])) == (16, 16)


def _size(sample: Sample) -> tuple[int, int]:
    height, width = decode_mp4(sample.mp4)[0].shape[1:3]
    assert (sample.facts["width"], sample.facts["height"]) == (width, height)
    return width, height


def test_high_rates_come_down_and_others_stay(tmp_path: Path):
    tone = np.sin(2 * np.pi * 1000 * np.arange(96000) / 96000).astype(np.float32) / 2
    path = write_video(tmp_path / "v.mkv", pictures(25), audio=tone, rate_hz=96000, audio_codec="flac")
    audio, rate_hz = heard(normalise(path, TWO_S))
    assert rate_hz == 48000
    expected = np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000) / 2
    assert np.abs(audio - expected)[100:-100].max() < 2e-3
    path = write_video(tmp_path / "w.mp4", pictures(25), audio=click(0.1, 1.0, 22050), rate_hz=22050)
    assert heard(normalise(path, TWO_S))[1] == 22050


@pytest.mark.parametrize(
    ("level", "frames", "expected"),
    [
        (0.0, pictures(50), {"silent"}),
        (0.0009, pictures(50), {"silent"}),
        (0.01, pictures(50), set()),
        (1.0, pictures(50), {"clipped"}),
        (0.5, np.full((50, 48, 64, 3), 90, dtype=np.uint8), {"still"}),
    ],
)
def test_flags(tmp_path: Path, level: float, frames: np.ndarray, expected: set[str]):
    audio = np.tile(np.array([level, -level], dtype=np.float32), RATE_HZ)
    path = write_video(tmp_path / "v.mkv", frames, audio=audio, audio_codec="flac")
    assert set(normalise(path, TWO_S).facts["flags"]) == expected


def test_a_small_thing_that_moves_is_not_still(tmp_path: Path):
    frames = np.full((50, 96, 128, 3), 90, dtype=np.uint8)
    for k in range(50):
        frames[k, 40:52, 2 * k : 2 * k + 12] = 200
    path = write_video(tmp_path / "v.mp4", frames, audio=click(0.5, 2.0))
    assert normalise(path, TWO_S).facts["flags"] == []


@pytest.mark.parametrize(("late_s", "flagged"), [(0.09, False), (0.12, True)])
def test_a_tenth_of_a_second_apart_is_out_of_step(tmp_path: Path, late_s: float, flagged: bool):
    times = [late_s + k / 25 for k in range(48)]
    path = write_video(tmp_path / "v.mkv", pictures(48), times_s=times, audio=click(0.2, 2.0), audio_codec="flac")
    assert ("out_of_step" in normalise(path, TWO_S).facts["flags"]) is flagged


@pytest.mark.parametrize(("offset_s", "flagged"), [(0.0, False), (-0.4, True)])
def test_sound_that_does_not_follow_the_picture_is_out_of_step(tmp_path: Path, offset_s: float, flagged: bool):
    frames = np.full((250, 48, 64, 3), 40, dtype=np.uint8)
    audio = np.random.default_rng(0).normal(0, 1e-3, 10 * RATE_HZ).astype(np.float32)
    for at in (31, 58, 97, 126, 171, 203):
        frames[at : at + 2, 8:40, 8:56] = 230
        audio += click(at / 25 - offset_s, 10.0)
    path = write_video(tmp_path / "v.mkv", frames, audio=audio, audio_codec="flac")
    facts = normalise(path, PROFILES["default"]).facts
    assert facts["content_offset_s"] == pytest.approx(offset_s, abs=0.02)
    assert facts["flags"] == ["out_of_step"] * flagged
    assert facts["av_offset_s"] == pytest.approx(0.0, abs=2e-3)


def test_where_nothing_can_be_told_there_is_no_offset(tmp_path: Path):
    path = write_video(tmp_path / "v.mp4", pictures(50), audio=click(0.5, 2.0))
    assert normalise(path, TWO_S).facts["content_offset_s"] is None


@pytest.mark.parametrize(("n_moving", "flagged"), [(1, True), (5, False)])
def test_mostly_still(tmp_path: Path, n_moving: int, flagged: bool):
    """Ten seconds at five frames a second, so that held frames alone make nothing still."""
    frames = np.full((50, 48, 64, 3), 90, dtype=np.uint8)
    frames[: 5 * n_moving : 2] = 160
    path = write_video(tmp_path / "v.mkv", frames, fps=5.0, audio=click(0.5, 10.0), audio_codec="flac")
    facts = normalise(path, PROFILES["default"]).facts
    assert ("mostly_still" in facts["flags"]) is flagged
    assert facts["still_share"] == pytest.approx(1 - n_moving / 10, abs=0.11)


def test_high_dynamic_range_is_said(tmp_path: Path):
    path = write_video(tmp_path / "v.mp4", pictures(50), audio=click(0.3, 2.0), curve=16)
    assert normalise(path, TWO_S).facts["flags"] == ["hdr"]


def test_prints_are_kept(tmp_path: Path):
    rng = np.random.default_rng(0)
    frames = np.kron(rng.uniform(20, 220, (50, 6, 8, 1)), np.ones((1, 8, 8, 3))).astype(np.uint8)
    path = write_video(tmp_path / "v.mkv", frames, audio=rng.normal(0, 0.1, 2 * RATE_HZ).astype(np.float32))
    facts = normalise(path, TWO_S).facts
    assert len(facts["sound_print"]) == len(facts["picture_print"]) == 44
    silent = write_video(tmp_path / "s.mkv", frames, audio=np.zeros(2 * RATE_HZ, dtype=np.float32))
    assert normalise(silent, TWO_S).facts["sound_print"] is None


@pytest.mark.parametrize(("seconds", "short"), [(1.9, False), (1.88, True)])
def test_short_is_under_95_percent(tmp_path: Path, seconds: float, short: bool):
    n = round(seconds * 25)
    path = write_video(tmp_path / "v.mkv", pictures(n), audio=click(0.5, n / 25), audio_codec="flac")
    assert ("short" in normalise(path, TWO_S).facts["flags"]) is short


def refused(path: Path, profile: Profile = TWO_S) -> tuple[str, str]:
    with pytest.raises(MediaError) as caught:
        normalise(path, profile)
    return caught.value.status, caught.value.reason


def test_statuses(tmp_path: Path):
    assert refused(write_video(tmp_path / "a.mp4", pictures(25)))[0] == "no_audio"
    assert refused(write_video(tmp_path / "b.m4a", None, audio=click(0.1, 1.0)))[0] == "no_video"
    short = write_video(tmp_path / "c.mkv", pictures(12), audio=click(0.1, 0.48), audio_codec="flac")
    assert refused(short)[0] == "too_short"
    apart = write_video(tmp_path / "d.mkv", pictures(5), times_s=[3 + k / 25 for k in range(5)], audio=click(0.1, 1.0))
    assert refused(apart)[0] == "no_overlap"
    (tmp_path / "e.mp4").touch()
    assert refused(tmp_path / "e.mp4")[0] == "empty_file"


def test_half_a_second_is_enough(tmp_path: Path):
    path = write_video(tmp_path / "v.mkv", pictures(13), audio=click(0.1, 0.52), audio_codec="flac")
    assert normalise(path, TWO_S).facts["n_frames"] == 13


def test_sound_that_is_not_finite(tmp_path: Path):
    audio = np.zeros(RATE_HZ, dtype=np.float32)
    audio[100] = np.nan
    path = write_video(tmp_path / "v.mkv", pictures(25), audio=audio, audio_codec="pcm_f32le")
    assert refused(path)[0] == "not_finite"


def test_a_cover_picture_is_no_video(tmp_path: Path):
    # An mp3 with a cover shows up as a file with a video stream.
    import av

    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width = cover.height = 32
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        sound = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        image = av.VideoFrame.from_ndarray(pictures(1, 32, 32)[0], format="rgb24")
        container.mux(cover.encode(image))
        frame = av.AudioFrame.from_ndarray(click(0.1, 1.0)[None, :1024].copy(), format="fltp", layout="mono")
        frame.sample_rate = RATE_HZ
        container.mux(sound.encode(frame))
        container.mux(cover.encode())
        container.mux(sound.encode())
    assert refused(tmp_path / "song.mp4")[0] == "no_video"


def test_a_cut_file_gives_what_decodes_and_says_so(tmp_path: Path):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (50, 48, 64, 3)).astype(np.uint8)
    audio = rng.normal(0, 0.1, 2 * RATE_HZ).astype(np.float32)
    # A moov box in front, so that the first half can be read without the second.
    whole = write_video(tmp_path / "v.mp4", frames, audio=audio, options={"movflags": "faststart"})
    data = whole.read_bytes()
    (tmp_path / "half.mp4").write_bytes(data[: len(data) // 2])
    sample = normalise(tmp_path / "half.mp4", TWO_S)
    assert 0.5 < sample.facts["duration_s"] < 1.6
    assert {"short", "truncated"} <= set(sample.facts["flags"])


def test_a_file_that_is_mostly_damaged_is_refused(tmp_path: Path):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (50, 48, 64, 3)).astype(np.uint8)
    whole = write_video(tmp_path / "v.mp4", frames, audio=rng.normal(0, 0.1, 2 * RATE_HZ).astype(np.float32))
    data = bytearray(whole.read_bytes())
    body = data.index(b"mdat") + 4
    for at in range(body, body + 300_000 if len(data) > body + 300_000 else len(data) * 9 // 10, 40):
        data[at] ^= 0xFF
    (tmp_path / "noise.mp4").write_bytes(bytes(data))
    status, reason = refused(tmp_path / "noise.mp4")
    assert status == "undecodable"
    assert "damaged" in reason or "decodes" in reason


def test_flac_holds_what_was_heard(tmp_path: Path):
    audio = np.stack([click(0.3, 1.0), click(0.3, 1.0, level=0.3)])
    path = write_video(tmp_path / "v.mkv", pictures(25), audio=audio, audio_codec="flac")
    sample = normalise(path, TWO_S)
    assert np.abs(heard(sample)[0]).max() == pytest.approx(0.4, abs=1e-3)
    assert sample.facts["source_channels"] == 2
    assert sample.facts["peak"] == pytest.approx(0.4, abs=1e-3)
    assert io.BytesIO(sample.flac).read(4) == b"fLaC"
