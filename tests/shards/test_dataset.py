"""Shards: the same bytes every time, read by plain webdataset, every kind of damage noticed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import webdataset

from foleybench.errors import ManifestError
from foleybench.shards import dataset
from foleybench.shards.dataset import ShardDataset, read_members, shard_name, shard_names, write_shard
from foleybench.shards.manifest import Manifest, read_manifest, write_manifest

Make = Callable[..., Path]
# webdataset leaves the file that it read to the garbage collector.
leaves_files_open = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


def members(**fields: bytes) -> dict[str, Callable[[], bytes]]:
    return {name: (lambda data=data: data) for name, data in fields.items()}


@leaves_files_open
def test_webdataset_reads_the_same_clips_and_fields(clicks: Path):
    data = ShardDataset(clicks)
    shard = clicks.parent / shard_name("test", 0)
    samples = list(webdataset.WebDataset(str(shard), shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == data.clip_ids
    for sample in samples:
        fields = {key: value for key, value in sample.items() if not key.startswith("__")}
        assert fields == data.members(sample["__key__"])
        assert set(fields) == {"flac", "json", "mp4"}


@leaves_files_open
@pytest.mark.parametrize("clip_id", ["-1pRmoJIGQc_000010", "__x___000000", "a" * 83 + "_000000"])
def test_webdataset_keeps_odd_ids(tmp_path: Path, clip_id: str):
    shard = tmp_path / "test-000000.tar"
    write_shard(shard, [(clip_id, members(flac=b"f", json=b"{}", mp4=b"m"))])
    (sample,) = list(webdataset.WebDataset(str(shard), shardshuffle=False))
    assert sample["__key__"] == clip_id


def test_bytes_are_the_same_every_time(tmp_path: Path):
    samples = [
        ("a_000000", members(mp4=b"1", flac=b"2", json=b"{}")),
        ("b_000000", members(json=b"{}", mp4=b"3", flac=b"")),
    ]
    write_shard(tmp_path / "one.tar", samples)
    os.utime(tmp_path / "one.tar", (1, 1))
    write_shard(tmp_path / "two.tar", samples)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as tar:
        found = tar.getmembers()
    assert [member.name for member in found][:3] == ["a_000000.flac", "a_000000.json", "a_000000.mp4"]
    assert {(member.mtime, member.mode, member.uid, member.uname) for member in found} == {(0, 0o644, 0, "")}


def test_a_shard_is_whole_or_absent(tmp_path: Path):
    def fails() -> bytes:
        raise OSError("disk full")

    write_shard(tmp_path / "x.tar", [("a_000000", members(mp4=b"old"))])
    before = (tmp_path / "x.tar").read_bytes()
    with pytest.raises(OSError, match="disk full"):
        write_shard(tmp_path / "x.tar", [("a_000000", {"flac": lambda: b"new", "mp4": fails})])
    assert (tmp_path / "x.tar").read_bytes() == before


def test_names_of_shards(tmp_path: Path):
    for name in (
        "test-000001.tar",
        "test-000000.tar",
        "test-1.tar",
        "test-x-000000.tar",
        "train-000000.tar",
        ".test-000002.tar",
    ):
        (tmp_path / name).touch()
    assert shard_names(tmp_path, "test") == ["test-000000.tar", "test-000001.tar"]
    assert shard_names(tmp_path, "test-x") == ["test-x-000000.tar"]


def test_load_returns_what_was_written(clicks: Path):
    data = ShardDataset(clicks)
    clip = data.load(data.clip_ids[1])
    assert clip.frames.shape == (50, 32, 32, 3)
    assert (clip.label, clip.split, clip.duration_s, clip.rate_hz) == ("hammer_bell", "test", 2.0, 16000)
    assert len(clip.audio) == 32000
    assert len(clip.onset_times_s()) == 4
    silent = data.load(data.clip_ids[1], video=False)
    assert silent.frames is None
    np.testing.assert_array_equal(silent.audio, clip.audio)
    assert [c.clip_id for c in data.clips(video=False, audio=False)] == data.clip_ids


@pytest.fixture
def copy(tmp_path: Path, make_clicks: Make) -> Path:
    return make_clicks(tmp_path / "copy", 3)


def test_a_whole_data_set_has_no_problems(copy: Path):
    assert ShardDataset(copy).verify() == []


@leaves_files_open
def test_a_tar_cut_at_a_member_boundary_is_noticed(copy: Path):
    # webdataset reads such a tar without complaint and returns fewer clips.
    shard = copy.parent / "test-000000.tar"
    with tarfile.open(shard) as tar:
        last = next(member for member in tar if member.name == "clip02_000000.flac")
    data = shard.read_bytes()[: last.offset]
    shard.write_bytes(data)
    assert len(list(webdataset.WebDataset(str(shard), shardshuffle=False))) == 2
    problems = ShardDataset(copy).verify()
    assert len(problems) == 1
    assert "has no member clip02_000000.flac" in problems[0]


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_tar_cut_inside_a_member_is_noticed(copy: Path, keep: float):
    shard = copy.parent / "test-000000.tar"
    data = shard.read_bytes()
    shard.write_bytes(data[: int(len(data) * keep) // 512 * 512 + 100])
    assert ShardDataset(copy).verify()


def test_a_shard_that_shrinks_after_it_was_scanned_is_noticed(copy: Path, monkeypatch: pytest.MonkeyPatch):
    """Between scan and read, by another process; also by readers that skip the hashes."""
    shard = copy.parent / "test-000000.tar"
    index = dataset._index(shard)
    monkeypatch.setattr(dataset, "_index", lambda shard: index)
    entry = ShardDataset(copy).entry("clip02_000000")
    whole = read_members(shard, entry, ["mp4"], verify=False)["mp4"]
    data, end = shard.read_bytes(), sum(index["clip02_000000.mp4"])
    shard.write_bytes(data[:end])
    assert read_members(shard, entry, ["mp4"], verify=False)["mp4"] == whole
    shard.write_bytes(data[: end - 1])
    with pytest.raises(ManifestError, match=r"ends inside clip02_000000\.mp4"):
        read_members(shard, entry, ["mp4"], verify=False)


def test_every_changed_byte_of_a_member_is_noticed(copy: Path):
    shard = copy.parent / "test-000000.tar"
    with tarfile.open(shard) as tar:
        spots = {member.name: member.offset_data + member.size // 2 for member in tar}
    whole = shard.read_bytes()
    for name in ("clip01_000000.flac", "clip01_000000.mp4"):
        damaged = bytearray(whole)
        damaged[spots[name]] ^= 1
        shard.write_bytes(bytes(damaged))
        (problem,) = ShardDataset(copy).verify()
        assert problem.startswith(f"{shard}: {name} is not what the manifest recorded: its SHA-256 differs.")
        with pytest.raises(ManifestError, match="SHA-256"):
            ShardDataset(copy).load("clip01_000000")


def test_a_missing_shard_is_one_problem(copy: Path):
    (copy.parent / "test-000000.tar").unlink()
    (problem,) = ShardDataset(copy).verify()
    assert "test-000000.tar is missing" in problem


def test_a_shard_made_again_is_scanned_again(copy: Path, make_clicks: Make):
    data = ShardDataset(copy)
    data.load("clip00_000000", video=False)
    shard = copy.parent / "test-000000.tar"
    write_shard(shard, [("clip00_000000", members(flac=b"x" * 9000, json=b"{}", mp4=b"y"))])
    with pytest.raises(ManifestError):
        data.load("clip00_000000", video=False)


def test_garbled_meta_is_named(copy: Path):
    data = ShardDataset(copy)
    whole = data.members("clip00_000000")
    write_manifest(copy, data.manifest.header, [dataclasses.replace(data.entries()[0], json_sha256=None)])
    numbers = ({"duration_s": "x", "rate_hz": 1}, {"duration_s": float("inf"), "rate_hz": 1}, {"duration_s": 1.0})
    for bad in (b"{", b"[]", b"{}", *(json.dumps(one).encode() for one in numbers)):
        write_shard(copy.parent / "test-000000.tar", [("clip00_000000", members(**{**whole, "json": bad}))])
        with pytest.raises(ManifestError, match=r"clip00_000000\.json lacks or garbles"):
            ShardDataset(copy).load("clip00_000000")


def test_shards_of_another_data_set_are_refused(copy: Path, tmp_path: Path, make_clicks: Make):
    """The same ids and names, other content: what is read must be what the manifest names."""
    other = make_clicks(tmp_path / "other", 3, duration_s=1.5)
    shutil.copy(other.parent / "test-000000.tar", copy.parent / "test-000000.tar")
    data = ShardDataset(copy)
    for read in (data.load, data.members, lambda _: next(data.clips()), lambda i: data.load(i, video=False)):
        with pytest.raises(ManifestError, match=r"test-000000\.tar: clip00_000000\.flac is not what the manifest"):
            read("clip00_000000")
    assert data.load("clip00_000000", verify=False).duration_s == 1.5


def test_garbled_events_are_named(copy: Path):
    data = ShardDataset(copy)
    fields = data.members("clip00_000000")
    meta = {**json.loads(fields["json"]), "events": [{"tim": 1.0}]}
    write_manifest(copy, data.manifest.header, [dataclasses.replace(data.entries()[0], json_sha256=None)])
    write_shard(
        copy.parent / "test-000000.tar",
        [("clip00_000000", members(**{**fields, "json": json.dumps(meta).encode()}))],
    )
    with pytest.raises(ManifestError, match=r"clip00_000000\.json garbles an event: .*'tim'"):
        ShardDataset(copy).load("clip00_000000")


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("field", ["duration_s", "label", "events"])
def test_a_changed_json_member_is_refused(copy: Path, recorded: bool, field: str):
    """With its hash every change is noticed; without (schema 1), what the manifest says too."""
    data = ShardDataset(copy)
    members_of = {clip_id: data.members(clip_id) for clip_id in data.clip_ids}
    meta = {**json.loads(members_of["clip00_000000"]["json"]), "label": "bounce_bar"}
    told = {clip_id: {**found, "json": json.dumps({**meta}).encode()} for clip_id, found in members_of.items()}
    entries = [
        dataclasses.replace(
            entry, json_sha256=hashlib.sha256(told[entry.clip_id]["json"]).hexdigest() if recorded else None
        )
        for entry in data.manifest.entries
    ]
    write_manifest(copy, data.manifest.header, entries)
    shard = copy.parent / "test-000000.tar"
    write_shard(shard, [(clip_id, members(**found)) for clip_id, found in told.items()])
    assert ShardDataset(copy).load("clip00_000000").duration_s == 2.0
    changed = {"duration_s": 0.5, "label": "hammer_bell", "events": []}
    told["clip00_000000"]["json"] = json.dumps({**meta, field: changed[field]}).encode()
    write_shard(shard, [(clip_id, members(**found)) for clip_id, found in told.items()])
    if field == "events" and not recorded:
        assert ShardDataset(copy).load("clip00_000000").events == ()
        return
    what = "SHA-256 differs" if recorded else f"disagree on {field}"
    with pytest.raises(ManifestError, match=rf"test-000000\.tar: clip00_000000\.json .*{what}"):
        ShardDataset(copy).load("clip00_000000", audio=False, video=False)


def test_a_clip_that_does_not_decode_is_named_with_its_shard(copy: Path):
    """A damaged byte that nobody checks (``verify=False``) still ends in the names of clip and shard."""
    shard = copy.parent / "test-000000.tar"
    with tarfile.open(shard) as tar:
        spots = {member.name: member.offset_data for member in tar}
    data = bytearray(shard.read_bytes())
    for name in ("clip01_000000.flac", "clip02_000000.mp4"):
        data[spots[name] : spots[name] + 40] = bytes(40)
    shard.write_bytes(bytes(data))
    for clip_id in ("clip01_000000", "clip02_000000"):
        with pytest.raises(ManifestError, match=rf"test-000000\.tar: {clip_id} cannot be decoded") as caught:
            ShardDataset(copy).load(clip_id, verify=False)
        assert "object at 0x" not in str(caught.value)


@pytest.mark.parametrize("shard", ["../test-000000.tar", "/etc/passwd", "a/b.tar", ""])
def test_a_manifest_cannot_point_elsewhere(copy: Path, shard: str):
    manifest = read_manifest(copy)
    _rewrite(copy, manifest, shard)
    with pytest.raises(ManifestError, match="not the name of a shard"):
        ShardDataset(copy).load("clip00_000000")


def _rewrite(path: Path, manifest: Manifest, shard: str) -> None:
    write_manifest(path, manifest.header, [dataclasses.replace(entry, shard=shard) for entry in manifest.entries])


def test_unknown_ids_and_failed_clips_are_not_there(copy: Path):
    manifest = read_manifest(copy)
    entries = [dataclasses.replace(manifest.entries[0], status="no_audio", shard=None), *manifest.entries[1:]]
    write_manifest(copy, manifest.header, entries)
    data = ShardDataset(copy)
    assert len(data) == 2
    with pytest.raises(ManifestError, match="no usable clip 'clip00_000000'"):
        data.load("clip00_000000")
