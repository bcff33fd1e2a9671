"""Everything that lies in a folder given to us is taken, or named with the reason."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from foleybench.artefacts.match import leftovers, match
from foleybench.cli import main
from foleybench.errors import FoleyError
from foleybench.lists.subsets import read_ids
from foleybench.media.audio import write_wav
from foleybench.prepare import parse_options
from foleybench.prepare.load_dataset import load_dataset
from foleybench.shards.dataset import ShardDataset
from tests.made_media import click, pictures, write_video

READS_ALL = os.geteuid() == 0


def listed(folder: Path, *words: str) -> dict[str, str]:
    """Return clip id -> status of what `prepare folder` lists; "" for what will be made."""
    options = parse_options("folder", [str(folder), *words])
    return {item.clip_id: (item.refused or ("",))[0] for item in load_dataset("folder").items(options)}


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_r1_folders_behind_links_and_all_endings_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """R1: a link to a folder, .vob, .f4v, .mxf and .m2v; what has no known ending is named."""
    touch(tmp_path / "elsewhere", "far.mp4")
    folder = tmp_path / "videos"
    touch(folder, "a.vob", "b.f4v", "c.mxf", "d.m2v", "noending", "notes.txt", ".hidden.mp4", "e.MP4")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    assert set(listed(folder)) == {"a", "b", "c", "d", "e", "far"}
    told = capsys.readouterr().err
    assert "3 files are not audio or video by their names and were left out: .hidden.mp4, noending, notes.txt" in told


@pytest.mark.skipif(READS_ALL, reason="the superuser reads every folder")
def test_r1_a_folder_that_may_not_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """R1: a subfolder without permission."""
    touch(tmp_path, "a.mp4", "shut/b.mp4")
    (tmp_path / "shut").chmod(0)
    try:
        assert set(listed(tmp_path)) == {"a"}
    finally:
        (tmp_path / "shut").chmod(0o700)
    assert "subfolder shut cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "codec", "audio_codec"),
    [("a.vob", "mpeg2video", "mp2"), ("a.f4v", "libx264", "aac"), ("a.mxf", "mpeg2video", "pcm_s16le")],
)
def test_r1_what_these_endings_hold_is_read(tmp_path: Path, name: str, codec: str, audio_codec: str):
    from foleybench.media.hear import hear

    path = write_video(
        tmp_path / name, pictures(50), audio=click(1.0, 2.0, 48000), rate_hz=48000, codec=codec, audio_codec=audio_codec
    )
    assert len(hear(path).audio) / 48000 == pytest.approx(2.0, abs=0.1)


def test_r3_two_ranges_of_one_video_are_two_clips(tmp_path: Path):
    """R3: half a second apart."""
    touch(tmp_path, "dQw4w9WgXcQ_30000_40000.mp4", "dQw4w9WgXcQ_30500_40500.mp4")
    assert listed(tmp_path) == {"dQw4w9WgXcQ_30000_40000": "", "dQw4w9WgXcQ_30500_40500": ""}


def test_r3_so_are_two_rows_of_a_list(tmp_path: Path):
    (tmp_path / "list.csv").write_text('dQw4w9WgXcQ,30,"dog",test\ndQw4w9WgXcQ,30.5,"dog",test\n', encoding="utf-8")
    options = parse_options("vggsound", ["--list", str(tmp_path / "list.csv"), "--fetch"])
    items = load_dataset("vggsound").items(options)
    assert [(item.clip_id, item.refused) for item in items] == [
        ("dQw4w9WgXcQ_000030", None),
        ("dQw4w9WgXcQ_30500_40500", None),
    ]


MARK = b"\xef\xbb\xbf"


def test_r7_a_byte_order_mark_is_no_part_of_a_list(tmp_path: Path):
    """R7: in --list, --ids and --names of prepare, and in --names of eval."""
    touch(tmp_path / "videos", "a.mp4")
    (tmp_path / "names.csv").write_bytes(MARK + b"path,clip_id\na.mp4,abc_000030\n")
    assert listed(tmp_path / "videos", "--names", str(tmp_path / "names.csv")) == {"abc_000030": ""}
    (tmp_path / "ids.txt").write_bytes(MARK + b"dQw4w9WgXcQ_000030\n")
    assert read_ids(tmp_path / "ids.txt").ids == {"dQw4w9WgXcQ_000030"}
    (tmp_path / "list.csv").write_bytes(MARK + b'dQw4w9WgXcQ,30,"dog",test\n')
    assert read_ids(tmp_path / "list.csv").ids == {"dQw4w9WgXcQ_000030"}
    matched = match(tmp_path / "videos", {"abc_000030": ""}, tmp_path / "names.csv")
    assert list(matched.files) == ["abc_000030"]


def test_r7_rows_that_mean_nothing_are_named(tmp_path: Path):
    """R7: an unknown id, a path that leads out, a file that is not there."""
    touch(tmp_path / "audio", "a.wav")
    (tmp_path / "names.csv").write_text("path,clip_id\na.wav,one\n../x.wav,one\nnone.wav,one\na.wav,two\n")
    matched = match(tmp_path / "audio", {"one": ""}, tmp_path / "names.csv")
    assert [line.partition(": ")[2][:14] for line in leftovers(matched)] == ["there is no au"] * 2 + ["there is no cl"]
    (tmp_path / "videos").mkdir()
    (tmp_path / "names.csv").write_text("path,clip_id\n../x.mp4,one\n")
    with pytest.raises(FoleyError, match=r"names\.csv, line 2: path '\.\./x\.mp4' must be inside the folder"):
        listed(tmp_path / "videos", "--names", str(tmp_path / "names.csv"))
    (tmp_path / "names.csv").write_text("path,clip_id\nnone.mp4,one\n")
    assert listed(tmp_path / "videos", "--names", str(tmp_path / "names.csv")) == {"one": "missing"}


@pytest.fixture
def scored(clicks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[Path], tuple[int, dict, str]]:
    """Return what scores a folder: exit code, result, standard error."""

    def score(audio: Path) -> tuple[int, dict, str]:
        words = ["eval", "--audio", str(audio), "--data", str(clicks), "--metric", "level_difference"]
        code = main([*words, "--out", str(tmp_path / "results"), "--cache", str(tmp_path / "cache"), "--name", "x"])
        told = capsys.readouterr()
        return code, json.loads(Path(told.out.strip().splitlines()[0]).read_text()), told.err

    return score


def test_r9_files_that_are_no_clips_are_named(clicks: Path, tmp_path: Path, scored):
    """R9: in the result and to the person; what is scored stays the same."""
    audio = tmp_path / "audio"
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(audio / f"{clip.clip_id}.wav", clip.audio, clip.rate_hz)
    code, plain, _ = scored(audio)
    assert code == 0
    assert "leftovers" not in plain["run"]
    write_wav(audio / "clip0O_000000.wav", np.zeros(100, dtype=np.float32), 8000)
    touch(audio, "readme.md")
    code, result, told = scored(audio)
    assert code == 0
    assert result["metrics"]["level_difference"]["value"] == plain["metrics"]["level_difference"]["value"]
    assert result["run"]["leftovers"]["n"] == 2
    assert result["run"]["leftovers"]["first"][0] == "clip0O_000000.wav: there is no clip of this name"
    assert "left over in the audio folder: clip0O_000000.wav" in told


def test_d5_a_pipe_among_the_sounds_is_named(clicks: Path, tmp_path: Path, scored):
    """D5, D4, D3: a pipe, an absurd rate and an absurd timestamp are problems of their clips; the others are scored."""
    from tests.made_faults import with_gap

    audio = tmp_path / "audio"
    clips = list(ShardDataset(clicks).clips(video=False))
    for clip in clips[3:]:
        write_wav(audio / f"{clip.clip_id}.wav", clip.audio, clip.rate_hz)
    os.mkfifo(audio / f"{clips[0].clip_id}.wav")
    write_wav(audio / f"{clips[1].clip_id}.wav", clips[1].audio, clips[1].rate_hz)
    data = bytearray((audio / f"{clips[1].clip_id}.wav").read_bytes())
    data[24:28] = (0x7FFFFFFF).to_bytes(4, "little")
    (audio / f"{clips[1].clip_id}.wav").write_bytes(bytes(data))
    whole = write_video(tmp_path / "a.mka", None, audio=clips[2].audio, audio_codec="flac")
    with_gap(whole, audio / f"{clips[2].clip_id}.mka", 1e6, after_s=1.0)
    code, result, _ = scored(audio)
    assert code == 3
    assert result["dataset"]["n_scored"] == 4
    found = {(problem["clip_id"], problem["kind"]) for problem in result["problems"]}
    assert found == {
        (clips[0].clip_id, "not_a_file"),
        (clips[1].clip_id, "bad_rate"),
        (clips[2].clip_id, "too_short"),
        (clips[2].clip_id, "sound_gap"),
    }


def test_w10_w5_remarks_are_problems_of_scored_clips(clicks: Path, tmp_path: Path, scored):
    """W10, R10: what would be told by looking is in the result; the clips are scored and the result is complete."""
    import soundfile

    audio = tmp_path / "audio"
    clips = list(ShardDataset(clicks).clips(video=False))
    for clip in clips[2:]:
        write_wav(audio / f"{clip.clip_id}.wav", clip.audio, clip.rate_hz)
    soundfile.write(audio / f"{clips[0].clip_id}.wav", np.stack([clips[0].audio, -clips[0].audio], axis=1), 16000)
    write_video(audio / f"{clips[1].clip_id}.aac", None, audio=clips[1].audio)
    code, result, _ = scored(audio)
    kinds = {(problem["clip_id"], problem["kind"]) for problem in result["problems"]}
    assert {(clips[0].clip_id, "cancelled"), (clips[1].clip_id, "unknown_delay")} <= kinds
    assert (code, result["status"], result["dataset"]["n_scored"]) == (3, "complete", 6)
