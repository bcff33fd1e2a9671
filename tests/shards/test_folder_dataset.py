"""A folder of media as a data set: what is read, what names it, what is noticed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from foleybench.errors import FoleyError, ManifestError
from foleybench.media.audio import write_wav
from foleybench.media.read import read_media_sound
from foleybench.shards.folder_dataset import FolderDataset, list_folder, open_dataset
from foleybench.shards.manifest import read_manifest
from tests.made_media import click, pictures, write_video

RATE_HZ = 16000


@pytest.fixture
def real(tmp_path) -> Path:
    """A video, a nested float audio and a FLAC, with names as people give them."""
    folder = tmp_path / "My clips"
    write_video(folder / "film one.mp4", pictures(30), audio=click(0.4, 1.2))
    (folder / "sub").mkdir()
    noise = np.random.default_rng(0).uniform(-2.0, 2.0, (4800, 2)).astype(np.float32)
    soundfile.write(folder / "sub" / "шум.wav", noise, 48000, subtype="FLOAT")
    soundfile.write(folder / "-1pRmoJIGQc_10000_20000.flac", noise[:, 0] / 4, 44100, subtype="PCM_24")
    (folder / "notes.txt").touch()
    return folder


def listed(folder: Path, home: Path) -> FolderDataset:
    data = open_dataset(list_folder(folder, dataset_name="mine", home=home).manifest)
    assert isinstance(data, FolderDataset)
    return data


def test_clips_are_read_whole_and_not_rounded(real, tmp_path):
    data = listed(real, tmp_path / "home")
    assert data.clip_ids == ["-1pRmoJIGQc_10000_20000", "film-one", "шум"]
    for clip in data.clips(video=False):
        audio, rate_hz = read_media_sound(real / data.entry(clip.clip_id).source)
        np.testing.assert_array_equal(clip.audio, audio)
        assert (clip.rate_hz, clip.duration_s) == (rate_hz, len(audio) / rate_hz)
    assert data.entry("-1pRmoJIGQc_10000_20000").source_id == "-1pRmoJIGQc"
    assert float(np.abs(data.load("шум").audio).max()) > 1.0  # float audio is not clipped


def test_the_picture_lies_on_the_clock_of_its_sound(tmp_path):
    """The video starts 0.4 s after the audio: its first frame stands until then."""
    frames = np.concatenate([np.full((25, 32, 32, 3), 30, np.uint8), np.full((25, 32, 32, 3), 220, np.uint8)])
    times = [0.4 + k / 25 for k in range(50)]
    write_video(tmp_path / "v" / "late.mp4", frames, times_s=times, audio=click(0.4, 2.4))
    clip = listed(tmp_path / "v", tmp_path / "home").load("late")
    assert clip.frames is not None
    np.testing.assert_allclose(clip.frame_times_s, np.arange(len(clip.frames)) / 25)
    bright = clip.frame_times_s[clip.frames.mean(axis=(1, 2, 3)) > 128]
    assert bright[0] == pytest.approx(1.4, abs=0.05)


def test_sound_alone_has_no_frames(real, tmp_path):
    data = listed(real, tmp_path / "home")
    assert data.load("шум").frames is None
    assert data.load("film-one").frames is not None


def test_the_name_of_the_set_is_its_content_and_not_its_place(real, tmp_path):
    first = listed(real, tmp_path / "home")
    moved = real.rename(tmp_path / "moved")
    again = listed(moved, tmp_path / "home")
    assert again.manifest.sha256 == first.manifest.sha256
    assert first.path != again.path
    assert str(tmp_path) not in again.path.read_text(encoding="utf-8")
    write_wav(moved / "one more.wav", np.zeros(800, np.float32), RATE_HZ)
    assert listed(moved, tmp_path / "home").manifest.sha256 != first.manifest.sha256


def test_nothing_is_written_beside_the_media(real, tmp_path):
    before = sorted(real.rglob("*"))
    os.chmod(real, 0o500)
    listed(real, tmp_path / "home").load("film-one")
    os.chmod(real, 0o700)
    assert sorted(real.rglob("*")) == before


def test_a_file_that_changed_is_not_used(real, tmp_path):
    data = listed(real, tmp_path / "home")
    shutil.copy(real / "-1pRmoJIGQc_10000_20000.flac", real / "sub" / "шум.wav")
    with pytest.raises(ManifestError, match="changed since it was listed"):
        data.load("шум")
    assert len(data.verify()) == 1


def test_what_cannot_be_read_is_named_when_it_is_wanted(tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    os.mkfifo(folder / "pipe.wav")
    (folder / "broken.mp4").write_bytes(b"no video")
    (folder / os.fsdecode(b"b\xffd.wav")).write_bytes(b"no audio")
    write_video(folder / "mute.mp4", pictures(10))
    data = listed(folder, tmp_path / "home")
    for clip_id, what in {
        "pipe": "is no file",
        "broken": "unreadable",
        "mute": "no_audio",
        "b-d": "undecodable",
    }.items():
        with pytest.raises(ManifestError, match=what):
            data.load(clip_id)


def test_folders_that_hold_nothing_are_refused(tmp_path):
    with pytest.raises(FoleyError, match="no folder at"):
        list_folder(tmp_path / "none", dataset_name="x", home=tmp_path)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "notes.txt").touch()
    with pytest.raises(FoleyError, match=r"no audio or video.*notes\.txt"):
        list_folder(tmp_path / "bare", dataset_name="x", home=tmp_path)


def test_a_listing_without_its_folder_is_refused(real, tmp_path):
    data = listed(real, tmp_path / "home")
    (data.path.parent / "folder.json").unlink()
    with pytest.raises(ManifestError, match=r"folder\.json"):
        open_dataset(data.path)
    assert read_manifest(data.path).header.split == "files"
