"""A folder of videos: which files are asked for, what they are called, what a name may hold."""

from __future__ import annotations

import argparse
import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from foleybench.api.dataset import PROFILES
from foleybench.clip_ids import is_safe, parse_stem, slug
from foleybench.datasets.folder import DATASET
from foleybench.errors import FoleyError, MediaError
from foleybench.media.audio import read_sound, write_wav
from foleybench.prepare import plan, prepare
from foleybench.prepare.engine import parse_options
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest
from tests.made_media import click, pictures, write_video


def options(folder: Path, **changes: object) -> argparse.Namespace:
    values = {"profile": "default", "clip_seconds": None, "split": "test", "names": None, "folder": folder}
    return argparse.Namespace(**{**values, **changes})


def ids(folder: Path, **changes: object) -> dict[str, str]:
    return {item.source: item.clip_id for item in DATASET.items(options(folder, **changes))}


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


@pytest.mark.parametrize(
    ("stem", "clip_id", "start_s"),
    [
        ("-1pRmoJIGQc_000030", "-1pRmoJIGQc_000030", 30.0),
        ("-1pRmoJIGQc_30000_40000", "-1pRmoJIGQc_000030", 30.0),
        ("7tMPoaU2oL4_0_10000", "7tMPoaU2oL4_000000", 0.0),
        ("00W1lcxW-WU_40.000", "00W1lcxW-WU_000040", 40.0),
        ("00W1lcxW-WU_40.500", "00W1lcxW-WU_000040", 40.5),
        ("a_b-c_d-e_f_000007", "a_b-c_d-e_f_000007", 7.0),
        # One character short: not a known scheme, so nothing is guessed.
        ("AvTGh7DiLI_000052", "AvTGh7DiLI_000052_000000", 0.0),
        ("nwwHuxHMIpc.00000000", "nwwHuxHMIpc-00000000_000000", 0.0),
        ("dog barking", "dog-barking_000000", 0.0),
        ("犬", "犬_000000", 0.0),
        ("-1pRmoJIGQc_10_20", "-1pRmoJIGQc_000010", 10.0),
        ("-1pRmoJIGQc_000010_000020", "-1pRmoJIGQc_000010", 10.0),
        ("-1pRmoJIGQc_999_1999", "-1pRmoJIGQc_000000", 0.999),
        ("-1pRmoJIGQc_1000_1999", "-1pRmoJIGQc_001000", 1000.0),
    ],
)
def test_names_of_clips(stem: str, clip_id: str, start_s: float):
    name = parse_stem(stem)
    assert (name.clip_id, name.start_s) == (clip_id, start_s)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "../../etc/passwd",
        "-rf",
        "a\nb",
        "\x00",
        "a" * 10_000,
        "$(reboot)",
        "<script>",
        "é" * 300,
        "\udcff",
    ],
)
def test_a_slug_is_always_safe(text: str):
    assert is_safe(slug(text))
    assert len(f"{slug(text)}_000000.flac".encode()) <= 100  # What a tar of the plain kind can name.


def test_long_names_that_differ_stay_different():
    assert slug("a" * 500 + "b") != slug("a" * 500 + "c")


def test_every_media_file_is_asked_for_in_path_order(tmp_path: Path):
    touch(tmp_path, "b.mp4", "a/z.MKV", "a/y.webm", "notes.txt", ".hidden.mp4", ".cache/c.mp4", "list.csv", "s.wav")
    assert ids(tmp_path) == {
        "a/y.webm": "y",
        "a/z.MKV": "z",
        "b.mp4": "b",
        "s.wav": "s",
    }


def test_equal_stems_in_different_folders_get_their_folders_in_front(tmp_path: Path):
    touch(tmp_path, "a/0.mp4", "b/0.mp4", "b/1.mp4", "a/x.wav", "b/x.wav")
    assert ids(tmp_path) == {
        "a/0.mp4": "a-0",
        "a/x.wav": "a-x",
        "b/0.mp4": "b-0",
        "b/1.mp4": "1",
        "b/x.wav": "b-x",
    }


def test_names_that_only_collide_as_slugs_get_a_hash(tmp_path: Path):
    touch(tmp_path, "a b.mp4", "a.b.mp4", "🐶.mp4", "🐱.mp4")
    found = ids(tmp_path)
    assert len(set(found.values())) == 4
    digest = hashlib.sha256(b"a b.mp4").hexdigest()[:8]
    assert found["a b.mp4"] == f"a-b-{digest}"
    assert not any(item.refused for item in DATASET.items(options(tmp_path)))


def test_two_files_of_one_clip_are_told(tmp_path: Path):
    """Video and audio of one clip side by side, and two files that the table gives one id."""
    touch(tmp_path, "x.wav", "x.mp4", "sub/x.wav", "p.mp4", "q.mp4")
    table = tmp_path / "names.csv"
    table.write_text("path,clip_id\np.mp4,same\nq.mp4,same\n")
    refused = {item.source: item.refused for item in DATASET.items(options(tmp_path, names=table))}
    assert refused == {
        "p.mp4": None,
        "q.mp4": ("duplicate_id", "the same clip as p.mp4"),
        "sub/x.wav": None,
        "x.mp4": None,
        "x.wav": ("duplicate_id", "the same clip as x.mp4"),
    }


def test_a_scheme_is_recognised_and_never_imposed(tmp_path: Path):
    """The name stays the id; video and start are read from it where it says them."""
    touch(tmp_path, "-1pRmoJIGQc_10000_20000.mp4", "-1pRmoJIGQc_10500_20500.mp4", "hitting_bag.mp4", "a.b c.mp4")
    items = DATASET.items(options(tmp_path))
    assert [(item.clip_id, item.source_id, item.spec["start_s"]) for item in items] == [
        ("-1pRmoJIGQc_10000_20000", "-1pRmoJIGQc", 10.0),
        ("-1pRmoJIGQc_10500_20500", "-1pRmoJIGQc", 10.5),
        ("a-b-c", "a-b-c", 0.0),
        ("hitting_bag", "hitting_bag", 0.0),
    ]


def test_hostile_names_are_only_text(tmp_path: Path):
    names = ["-rf.mp4", "a\nb.mp4", "$(touch x).mp4", "..mp4.mp4", "con\x1b[31m.mp4", "n" * 240 + ".mp4"]
    touch(tmp_path, *names)
    (tmp_path / os.fsdecode(b"bad\xff.mp4")).write_bytes(b"x")
    items = DATASET.items(options(tmp_path))
    assert len(items) == len(names)  # "..mp4.mp4" starts with a dot.
    for item in items:
        assert is_safe(item.clip_id)
        assert item.source.isprintable()
        item.source.encode()
    made = prepare("folder", options(tmp_path), tmp_path / "out")
    assert {entry.status for entry in read_manifest(made["test"]).entries} == {"unreadable"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".prepared", "test.manifest.jsonl"]


def test_what_is_no_file_is_never_opened(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    refused = {item.source: item.refused and item.refused[0] for item in DATASET.items(options(tmp_path))}
    assert refused == {"pipe.mp4": "not_a_file", "gone.mp4": "missing"}
    made = prepare("folder", options(tmp_path), tmp_path / "out")
    assert read_manifest(made["test"]).counts() == {"missing": 1, "not_a_file": 1}


def test_a_table_gives_names_and_labels(tmp_path: Path):
    touch(tmp_path, "d/x.mp4", "AvTGh7DiLI_000052.mp4")
    table = tmp_path / "names.csv"
    rows = [
        "path,clip_id,label,caption",
        "AvTGh7DiLI_000052.mp4,-AvTGh7DiLI_000052,dog,a dog barks",
        "lost.mp4,lost,cat",
    ]
    table.write_text("\ufeff" + "\n".join(rows) + "\n")
    found = {item.source: item for item in DATASET.items(options(tmp_path, names=table))}
    named = found["AvTGh7DiLI_000052.mp4"]
    assert (named.clip_id, named.source_id, named.label) == ("-AvTGh7DiLI_000052", "-AvTGh7DiLI", "dog")
    assert (named.spec["start_s"], named.facts) == (52.0, {"caption": "a dog barks"})
    assert found["lost.mp4"].refused[0] == "missing"
    assert found["d/x.mp4"].clip_id == "x"
    assert (found["lost.mp4"].clip_id, found["lost.mp4"].source_id) == ("lost", "lost")


@pytest.mark.parametrize(
    "table",
    [
        "path,name\na.mp4,x_000000\n",
        "path,clip_id\n../a.mp4,x_000000\n",
        "path,clip_id\n/etc/a.mp4,x_000000\n",
        "path,clip_id\na.mp4,x.y_000000\n",
        "path,clip_id\na.mp4,../x_000000\n",
        "path,clip_id\na.mp4,x y\n",
        "path,clip_id\na.mp4\n",
        "path,clip_id\n,x_000000\n",
        "",
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path: Path, table: str):
    (tmp_path / "names.csv").write_text(table)
    with pytest.raises(FoleyError, match=r"names\.csv"):
        DATASET.items(options(tmp_path, names=tmp_path / "names.csv"))


def test_options_are_checked(tmp_path: Path):
    with pytest.raises(FoleyError, match="not a folder"):
        DATASET.items(options(tmp_path / "none"))
    touch(tmp_path, "a.mp4")
    for seconds in (0.0, -1.0, float("nan"), 4000.0):
        with pytest.raises(FoleyError, match="clip-seconds"):
            DATASET.items(options(tmp_path, clip_seconds=seconds))
    (tmp_path / "bare").mkdir()
    with pytest.raises(FoleyError, match="no clips"):
        plan("folder", options(tmp_path / "bare"), tmp_path / "out")


def test_the_profile_is_the_fingerprint(tmp_path: Path):
    assert DATASET.fingerprint(options(tmp_path))["short_side_px"] == 256
    paper = DATASET.fingerprint(options(tmp_path, profile="paper", clip_seconds=8.0))
    assert (paper["square_px"], paper["clip_s"], paper["fps"]) == (224, 8.0, 25.0)
    assert PROFILES["paper"].clip_s == 10.0


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    write_video(folder / "whole.mp4", pictures(30), audio=click(0.4, 1.2))
    write_video(folder / "silent.mp4", pictures(30))
    write_video(
        folder / "sub" / "-1pRmoJIGQc_30000_40000.mkv", pictures(40, width=340, height=90), audio=click(0.2, 1.6)
    )
    (folder / "broken.webm").write_bytes(b"\x1aE\xdf\xa3 and no more")
    return folder


@pytest.mark.slow
def test_the_manifest_does_not_say_where_the_folder_lay(videos: Path, tmp_path: Path):
    made = prepare("folder", options(videos), tmp_path / "one", jobs=2)
    moved = videos.rename(tmp_path / "elsewhere")
    os.utime(moved / "whole.mp4", (1, 1))
    again = prepare("folder", options(moved), tmp_path / "two")
    assert made["test"].read_bytes() == again["test"].read_bytes()
    assert (tmp_path / "one" / "test-000000.tar").read_bytes() == (tmp_path / "two" / "test-000000.tar").read_bytes()
    assert str(tmp_path) not in made["test"].read_text()
    entries = {entry.source: entry for entry in read_manifest(made["test"]).entries}
    assert {source: entry.status for source, entry in entries.items()} == {
        "broken.webm": "unreadable",
        "silent.mp4": "no_audio",
        "sub/-1pRmoJIGQc_30000_40000.mkv": "ok",
        "whole.mp4": "ok",
    }
    assert entries["sub/-1pRmoJIGQc_30000_40000.mkv"].facts["asked_start_s"] == 30.0


@pytest.mark.usefixtures("workers_here")
def test_a_file_that_changed_is_noticed(videos: Path, tmp_path: Path):
    prepare("folder", options(videos), tmp_path / "out")
    write_video(videos / "whole.mp4", pictures(20), audio=click(0.1, 0.8))
    with pytest.raises(FoleyError, match="items_sha256"):
        prepare("folder", options(videos), tmp_path / "out")


def test_make_works_alone(videos: Path):
    by_source = {item.source: item for item in DATASET.items(options(videos, clip_seconds=1.0))}
    assert DATASET.make(by_source["whole.mp4"]).facts["n_frames"] == 25
    with pytest.raises(MediaError, match="no_audio"):
        DATASET.make(by_source["silent.mp4"])


@pytest.mark.usefixtures("workers_here")
def test_sound_alone_becomes_clips_without_picture(tmp_path: Path):
    """Shards hold no video then; audio of 16 bits comes out to the bit, and as long as it is."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 24321).astype(np.float32)
    write_wav(tmp_path / "real" / "звук 1.wav", noise, 16000)
    write_video(tmp_path / "real" / "film.mp4", pictures(30), audio=click(0.4, 1.2))
    given = parse_options("folder", [str(tmp_path / "real"), "--clip-seconds", "8"])
    assert given.dataset_name == "real"
    made = prepare("folder", given, tmp_path / "out")
    data = ShardDataset(made["test"])
    assert data.name == "real"
    assert sorted(data.clip_ids) == ["film", "звук-1"]
    clip = data.load("звук-1")
    assert clip.frames is None
    assert clip.audio is not None
    np.testing.assert_array_equal(clip.audio, read_sound(tmp_path / "real" / "звук 1.wav")[0])
    assert clip.duration_s == pytest.approx(24321 / 16000, abs=1e-9)
    assert "sound_only" in data.entry("звук-1").facts["flags"]
    assert data.verify() == []
    assert data.load("film").frames is not None
    assert [clip.clip_id for clip in data.clips()] == data.clip_ids
    # Stopped and gone on, made again: the same bytes.
    again = prepare("folder", given, tmp_path / "again")
    assert made["test"].read_bytes() == again["test"].read_bytes()


def test_what_the_folder_is_called_is_the_name_of_the_data_set(tmp_path: Path):
    assert parse_options("folder", [str(tmp_path / "My videos (2)")]).dataset_name == "my-videos-2"
    assert parse_options("folder", ["--dataset-name", "other", str(tmp_path)]).dataset_name == "other"


@pytest.mark.usefixtures("workers_here")
def test_both_channels_are_kept_when_asked(tmp_path: Path):
    """To the bit from 16-bit audio; clips come as the mean or the first; one channel stays one; the profile says it."""
    rng = np.random.default_rng(0)
    steps = rng.integers(-8000, 8000, (32000, 2)).astype(np.float32) / 32768
    (tmp_path / "real").mkdir()
    soundfile.write(tmp_path / "real" / "two.wav", steps, 16000, subtype="PCM_16")
    soundfile.write(tmp_path / "real" / "one.wav", steps[:, 0], 16000, subtype="PCM_16")
    write_video(tmp_path / "real" / "film.mkv", pictures(50), audio=steps.T.copy(), rate_hz=16000, audio_codec="flac")
    words = [str(tmp_path / "real"), "--clip-seconds", "2"]
    data = ShardDataset(
        prepare("folder", parse_options("folder", [*words, "--channels", "keep"]), tmp_path / "k")["test"]
    )
    assert data.manifest.header.profile["channels"] == "keep"
    for clip_id, n_channels in {"two": 2, "one": 1, "film": 2}.items():
        samples, _ = soundfile.read(io.BytesIO(data.members(clip_id)["flac"]), dtype="float32", always_2d=True)
        np.testing.assert_array_equal(samples, steps[:, :n_channels], err_msg=clip_id)
        assert data.entry(clip_id).facts.get("channels", 1) == n_channels
        assert data.load(clip_id, video=False).n_channels == n_channels
    mean, first = (data.load("two", channels=how).audio for how in ("mean", "first"))
    np.testing.assert_allclose(mean, steps.mean(axis=1), atol=1e-7)
    np.testing.assert_array_equal(first, steps[:, 0])
    mixed = ShardDataset(prepare("folder", parse_options("folder", words), tmp_path / "m")["test"])
    assert "channels" not in mixed.manifest.header.profile  # sets of before keep their names
    assert soundfile.info(io.BytesIO(mixed.members("two")["flac"])).channels == 1
    assert mixed.manifest.sha256 != data.manifest.sha256
