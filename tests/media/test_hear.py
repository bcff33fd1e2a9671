"""Every remark on audio, and none on good files."""

from __future__ import annotations

import os
import socket
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from foleybench.errors import MediaError
from foleybench.media.hear import Heard, hear
from foleybench.media.plain_file import require_file
from tests.made_faults import pitch_hz, rewritten, tone, with_gap, write_tracks
from tests.made_media import RATE_HZ, click, click_time_s, write_video


def kinds(heard: Heard) -> list[str]:
    return [remark.kind for remark in heard.remarks]


def write(path: Path, samples: np.ndarray, rate_hz: int = RATE_HZ, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, samples.T, rate_hz, subtype=subtype)
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.m4a", "aac"), ("b.mka", "flac"), ("c.mkv", "aac"), ("d.mp4", "libmp3lame"), ("e.webm", "libopus"),
     ("f.mp3", "libmp3lame"), ("g.flac", "flac"), ("h.wav", "pcm_s16le"), ("i.ts", "aac"), ("j.flv", "aac")],
)  # fmt: skip
@pytest.mark.parametrize("n_channels", [1, 2])
def test_of_a_good_file_nothing_is_told(tmp_path: Path, name: str, codec: str, n_channels: int):
    rate_hz = 48000 if codec == "libopus" else 44100
    audio = np.stack([tone(440, 1.5, rate_hz)] * n_channels)
    path = write_video(tmp_path / name, None, audio=audio, rate_hz=rate_hz, audio_codec=codec)
    heard = hear(path)
    assert (heard.remarks, heard.goes_on, heard.rate_hz) == ((), False, rate_hz)
    assert (heard.n_channels, hear(path, "first").n_channels) == (n_channels, n_channels)
    assert pitch_hz(heard.audio, rate_hz) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("first_is_default", [True, False])
def test_w4_the_default_track_is_taken_and_the_other_is_named(tmp_path: Path, ending: str, first_is_default: bool):
    """W4: of two sounds, the default one is heard, whichever has more channels."""
    surround = np.concatenate([tone(2000, 1.5)[None], np.zeros((5, round(1.5 * RATE_HZ)), dtype=np.float32)])
    path = write_tracks(
        tmp_path / f"two.{ending}", [], [(tone(440, 1.5), first_is_default), (surround, not first_is_default)]
    )
    heard = hear(path)
    assert pitch_hz(heard.audio, heard.rate_hz) == pytest.approx(440 if first_is_default else 2000, abs=3)
    assert kinds(heard) == ["other_tracks"]
    assert f"{6 if first_is_default else 1} channels" in heard.remarks[0].detail


@pytest.mark.parametrize("gap_s", [0.045, 0.02])
def test_w7_a_closed_gap_is_told_with_its_length(tmp_path: Path, gap_s: float):
    """W7: a click at 2.0 s whose timestamp says 2.045 s stands at 2.0 s, and that is said."""
    whole = write_video(tmp_path / "a.mka", None, audio=click(2.0, 3.0), audio_codec="flac")
    heard = hear(with_gap(whole, tmp_path / "b.mka", gap_s))
    assert click_time_s(heard.audio, heard.rate_hz) == pytest.approx(2.0, abs=2e-3)
    assert kinds(heard) == ["closed_gap"]
    assert f"{1000 * gap_s:.0f} ms earlier" in heard.remarks[0].detail


def test_w7_rounded_timestamps_are_no_gap(tmp_path: Path):
    whole = write_video(tmp_path / "a.flv", None, audio=tone(440, 2.0, 44100), rate_hz=44100)
    assert hear(whole).remarks == ()


def test_r6_a_hole_is_told(tmp_path: Path):
    """R6: three seconds without audio between two stretches of it."""
    whole = write_video(tmp_path / "a.mka", None, audio=tone(440, 3.0), audio_codec="flac")
    heard = hear(with_gap(whole, tmp_path / "b.mka", 3.0))
    assert kinds(heard) == ["sound_gap"]
    assert "3.0" in heard.remarks[0].detail
    assert len(heard.audio) / heard.rate_hz == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize("codec", ["flac", "pcm_s16le"])
def test_w10_channels_that_cancel_leave_the_louder(tmp_path: Path, codec: str):
    """W10: R = -0.9 L, in a container and through libsndfile."""
    left = tone(440, 1.0)
    both = np.stack([left, -0.9 * left]).astype(np.float32)
    for path in (
        write_video(tmp_path / "a.mkv", None, audio=both, audio_codec=codec),
        write(tmp_path / "a.wav", both),
        write(tmp_path / "a.flac", both),
    ):
        heard = hear(path)
        assert kinds(heard) == ["cancelled"]
        assert "26 dB" in heard.remarks[0].detail
        assert "channel 1" in heard.remarks[0].detail
        np.testing.assert_allclose(heard.audio[: len(left)], left, atol=1e-3)
        assert hear(path, "first").remarks == ()


@pytest.mark.parametrize("n_channels", [6, 8])
def test_w10_the_subwoofer_is_not_mixed_in_without_names_either(tmp_path: Path, n_channels: int):
    """W10: PCM in Matroska does not name its channels; the fourth of 5.1 and 7.1 is the subwoofer, as in FLAC."""
    import av

    channels = np.zeros((n_channels, RATE_HZ), dtype=np.float32)
    channels[0], channels[3] = tone(440, 1.0), tone(60, 1.0, level=0.9)
    expected = channels[0] / (n_channels - 1)
    np.testing.assert_allclose(hear(write(tmp_path / "a.flac", channels)).audio, expected, atol=1e-4)
    np.testing.assert_allclose(hear(write(tmp_path / "a.wav", channels)).audio, expected, atol=1e-4)
    for layout in ({6: "5.1", 8: "7.1"}[n_channels],):
        with av.open(str(tmp_path / "a.mkv"), "w") as container:
            stream = container.add_stream("pcm_f32le", rate=RATE_HZ, layout=layout)
            frame = av.AudioFrame.from_ndarray(channels.T.reshape(1, -1).copy(), format="flt", layout=layout)
            frame.sample_rate = RATE_HZ
            container.mux([*stream.encode(frame), *stream.encode(None)])
        with av.open(str(tmp_path / "a.mkv")) as container:
            named = next(container.decode(audio=0)).layout.name
        assert named == f"{n_channels} channels"
        np.testing.assert_allclose(hear(tmp_path / "a.mkv").audio, expected, atol=1e-4)


def test_w11_samples_that_no_sound_has(tmp_path: Path):
    """W11: a float file at 1e38, and one of integers written as floats, are refused; 14 dB over is told."""
    for peak, status in ((1e38, "out_of_range"), (32767.0, "out_of_range"), (np.inf, "not_finite")):
        samples = tone(440, 1.0)
        samples[100] = peak
        for path in (
            write(tmp_path / "a.wav", samples, subtype="FLOAT"),
            write_video(tmp_path / "a.mkv", None, audio=samples, audio_codec="pcm_f32le"),
        ):
            with pytest.raises(MediaError) as caught:
                hear(path)
            assert caught.value.status == status
    heard = hear(write(tmp_path / "b.wav", 5.0 * tone(440, 1.0, level=1.0), subtype="FLOAT"))
    assert kinds(heard) == ["over_scale"]
    assert "14 dB" in heard.remarks[0].detail


@pytest.mark.parametrize(
    ("name", "codec", "options", "n"),
    [("a.aac", "aac", {}, "1024"), ("a.mp3", "libmp3lame", {"write_xing": "0"}, "1105")],
)
def test_r10_a_delay_that_the_file_does_not_state_is_told(tmp_path: Path, name: str, codec: str, options, n: str):
    """R10: AAC in ADTS, and MP3 without a Xing header."""
    path = write_video(tmp_path / name, None, audio=click(0.5, 1.0), audio_codec=codec, options=options)
    heard = hear(path)
    assert kinds(heard) == ["unknown_delay"]
    assert n in heard.remarks[0].detail
    late_s = click_time_s(heard.audio, heard.rate_hz) - 0.5
    assert late_s == pytest.approx(int(n) / RATE_HZ, abs=5e-3)


@pytest.mark.parametrize("ending", ["wav", "m4a"])
def test_r9_a_file_that_ends_before_it_says_is_told(tmp_path: Path, ending: str):
    """R9: fifteen of twenty seconds are there."""
    audio = np.random.default_rng(0).normal(0, 0.1, 20 * 8000).astype(np.float32)
    if ending == "wav":
        whole = write(tmp_path / "whole.wav", audio, 8000).read_bytes()
    else:
        path = tmp_path / "whole.m4a"
        whole = write_video(path, None, audio=audio, rate_hz=8000, options={"movflags": "faststart"}).read_bytes()
    (tmp_path / f"a.{ending}").write_bytes(whole[: round(0.75 * len(whole))])
    heard = hear(tmp_path / f"a.{ending}")
    assert "truncated" in kinds(heard)
    assert len(heard.audio) / heard.rate_hz == pytest.approx(15.0, abs=0.5)
    assert "20.0" in heard.remarks[-1 if ending == "wav" else 0].detail


@pytest.mark.parametrize("stated", [0xFFFFFFFF, 0x7FFFF024])
def test_r9_a_wav_written_to_a_pipe_says_no_length(tmp_path: Path, stated: int):
    data = bytearray(write(tmp_path / "a.wav", tone(440, 1.0)).read_bytes())
    data[4:8], data[40:44] = b"\xff" * 4, stated.to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(bytes(data))
    heard = hear(tmp_path / "a.wav")
    assert heard.remarks == ()
    assert len(heard.audio) == RATE_HZ


def test_packets_that_do_not_decode_are_told(tmp_path: Path):
    """W5: damaged audio packets get the remark too."""
    whole = write_video(tmp_path / "a.m4a", None, audio=np.random.default_rng(0).normal(0, 0.1, RATE_HZ))
    seen = []

    def change(packet, time_s):
        seen.append(packet)
        if len(seen) not in (8, 9):
            return packet
        import av

        noise = av.Packet(b"\xff" * packet.size)
        noise.time_base, noise.pts, noise.dts, noise.duration = (
            packet.time_base,
            packet.pts,
            packet.dts,
            packet.duration,
        )
        return noise

    heard = hear(rewritten(whole, tmp_path / "b.m4a", change))
    assert "damaged" in kinds(heard)


def peak_mb(path: Path, max_s: float) -> float:
    tracemalloc.start()
    try:
        hear(path, max_s=max_s)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("gap_s", [20_000.0, 1_000_000.0])
def test_d3_memory_does_not_go_to_the_last_timestamp(tmp_path: Path, gap_s: float):
    """D3: audio after a jump of hours is beyond the clip; what comes before is read, and a remark names the gap."""
    whole = write_video(tmp_path / "a.mka", None, audio=tone(440, 3.0), audio_codec="flac")
    path = with_gap(whole, tmp_path / "b.mka", gap_s)
    heard = hear(path, max_s=10.0)
    assert kinds(heard) == ["sound_gap"]
    assert len(heard.audio) / heard.rate_hz == pytest.approx(1.5, abs=0.1)
    assert not heard.goes_on
    assert peak_mb(path, 10.0) < 5


def test_d3_without_a_limit_it_is_refused(tmp_path: Path):
    whole = write_video(tmp_path / "a.mka", None, audio=tone(440, 3.0), audio_codec="flac")
    with pytest.raises(MediaError, match="too_large"):
        hear(with_gap(whole, tmp_path / "b.mka", 1_000_000.0))


@pytest.mark.parametrize("rate_hz", [0, 1, 999, 768_001, 0x7FFFFFFF])
def test_d4_a_rate_that_no_sound_has_is_refused(tmp_path: Path, rate_hz: int):
    """D4: bytes 24 to 28 of a WAV."""
    data = bytearray(write(tmp_path / "a.wav", tone(440, 1.0)).read_bytes())
    data[24:28] = rate_hz.to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(bytes(data))
    with pytest.raises(MediaError) as caught:
        hear(tmp_path / "a.wav")
    assert caught.value.status in ("bad_rate", "undecodable")


@pytest.mark.parametrize("ending", ["flac", "wav", "mka"])
def test_d4_only_so_much_is_read(tmp_path: Path, ending: str):
    """D4: ten minutes of silence take some kilobytes of FLAC; a clip of a second takes a second of them."""
    if ending == "mka":
        path = write_video(
            tmp_path / "a.mka", None, audio=np.zeros(600 * 8000, np.float32), rate_hz=8000, audio_codec="flac"
        )
    else:
        path = write(tmp_path / f"a.{ending}", np.zeros(600 * 8000), 8000)
    heard = hear(path, max_s=1.0)
    assert heard.goes_on
    assert 8000 <= len(heard.audio) <= 8000 + 8192
    assert peak_mb(path, 1.0) < 5


def test_d5_what_is_no_file_is_not_opened(tmp_path: Path):
    """D5: a pipe, a socket, a device and a folder with the endings of sounds."""
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "device.wav").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.wav"))
        for name, words in (("pipe", "a pipe"), ("folder", "a folder"), ("device", "a device"), ("s", "a socket")):
            for ending in ("wav", "m4a"):
                path = (tmp_path / f"{name}.wav").rename(tmp_path / f"{name}.{ending}")
                with pytest.raises(MediaError) as caught:
                    hear(path)
                assert caught.value.status == "not_a_file"
                assert words in caught.value.reason
                path.rename(tmp_path / f"{name}.wav")


def test_what_is_not_there_or_may_not_be_looked_at(tmp_path: Path):
    with pytest.raises(MediaError, match="missing"):
        require_file(tmp_path / "none.wav")
    with pytest.raises(MediaError, match="unreadable"):
        require_file(tmp_path / ("x" * 300))
    with pytest.raises(MediaError, match="unreadable"):
        require_file(Path("a\0b"))
