"""Video and audio from two files are joined in sync, and so the chosen formats ask."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
import yt_dlp

from foleybench.api.dataset import Profile
from foleybench.errors import MediaError
from foleybench.prepare.normalise.normalise import normalise
from foleybench.prepare.obtain.download import format_selector
from foleybench.prepare.obtain.join import join
from tests.prepare.obtain import clap_and_flash


def only(source: Path, kind: str, target: Path) -> Path:
    """Copy one stream of a file, as a site that serves them apart."""
    with av.open(str(source)) as container, av.open(str(target), "w") as out:
        stream = container.streams.get({kind: 0})[0]
        copied = out.add_stream_from_template(stream)
        for packet in container.demux(stream):
            if packet.dts is not None:
                packet.stream = copied
                out.mux(packet)
    return target


def test_joined_files_are_in_step(tmp_path: Path):
    whole = clap_and_flash.write(tmp_path / "whole.mp4", 12.0)
    picture = only(whole, "video", tmp_path / "picture.mp4")
    sound = only(whole, "audio", tmp_path / "sound.m4a")
    joined = join(sound, picture, tmp_path / "joined.mkv")
    sample = normalise(joined, Profile(name="fine", fps=100.0, short_side_px=64, clip_s=5.0), cut_s=4.321)
    inside = [t - 4.321 for t in clap_and_flash.times_s(12.0) if 0.1 < t - 4.321 < 4.9]
    assert clap_and_flash.seen_s(sample) == pytest.approx(inside, abs=0.02)
    assert clap_and_flash.heard_s(sample) == pytest.approx(inside, abs=0.02)


def test_a_part_that_is_missing_is_named(tmp_path: Path):
    whole = clap_and_flash.write(tmp_path / "whole.mp4", 1.0)
    picture, sound = only(whole, "video", tmp_path / "p.mp4"), only(whole, "audio", tmp_path / "s.m4a")
    for pair, status in (((sound, sound), "no_video"), ((picture, picture), "no_audio")):
        with pytest.raises(MediaError) as caught:
            join(*pair, tmp_path / "joined.mkv")
        assert caught.value.status == status


def formats(*asked: tuple[str, int | None, str, str]) -> list[dict]:
    return [
        {"format_id": name, "height": height, "vcodec": video, "acodec": audio, "url": "http://x/", "ext": "mp4"}
        for name, height, video, audio in asked
    ]


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ([("18", 360, "h264", "aac"), ("22", 720, "h264", "aac")], ["18"]),
        ([("140", None, "none", "aac"), ("134", 360, "h264", "none"), ("136", 720, "h264", "none")], ["134", "140"]),
        ([("140", None, "none", "aac"), ("133", 240, "h264", "none")], ["133", "140"]),
        ([("22", 720, "h264", "aac"), ("17", 144, "h264", "aac")], ["22"]),
        ([("0", None, "", "")], ["0"]),
        ([("140", None, "none", "aac")], []),
    ],
)
def test_the_format_asked_for(there: list, chosen: list[str]):
    found = formats(*there)
    for one in found:
        for codec in ("vcodec", "acodec"):
            if not one[codec]:
                del one[codec]
    with yt_dlp.YoutubeDL({"quiet": True}) as downloader:
        context = {"formats": found, "incomplete_formats": False, "has_merged_format": False}
        assert [one["format_id"] for one in format_selector(downloader)(context)] == chosen
