"""The manifest: canonical bytes, a hash that names the test set, errors that name the line."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from foleybench.errors import FoleyError, ManifestError
from foleybench.files import canonical_json, write_atomically
from foleybench.shards.index import read_index
from foleybench.shards.manifest import (
    STATUSES,
    Entry,
    Header,
    join_manifest,
    joined_path,
    manifest_bytes,
    manifest_path,
    read_manifest,
    write_manifest,
)

HEADER = Header(dataset="d", split="test", version=1, profile={"fps": 25.0}, tools={"a": "1"})
OK = Entry(
    clip_id="a_000000",
    source="s",
    source_id="a",
    label="",
    status="ok",
    shard="test-000000.tar",
    audio_sha256="a" * 64,
    video_sha256="b" * 64,
    json_sha256="c" * 64,
)
LOST = Entry(clip_id="b_000000", source="s\n", source_id="b", label="é", status="no_audio", reason="has no sound")
READERS = (read_manifest, read_index)
# The versions that stand in every name: those of the first published sets.
NAMED = {"foleybench": "0.1.0", "libavcodec": "62.28.102", "libsndfile": "1.2.2", "pyav": "18.1.0"}


def schema_1(entries: list[Entry], **changed: Any) -> bytes:
    """Return a manifest as it was written before schema 2, by hand."""
    head = {"dataset": "d", "split": "test", "version": 1, "profile": {"fps": 25.0}, "tools": {"a": "1"}, "schema": 1}
    rows = [{k: v for k, v in dataclasses.asdict(e).items() if k != "json_sha256"} for e in entries]
    lines = [
        json.dumps(x, sort_keys=True, ensure_ascii=False, separators=(",", ":")) for x in ({**head, **changed}, *rows)
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def test_round_trip(tmp_path: Path):
    path = manifest_path(tmp_path, "test")
    write_manifest(path, HEADER, [OK, LOST])
    manifest = read_manifest(path)
    assert manifest.header == HEADER
    assert manifest.entries == (OK, LOST)
    assert manifest.ok() == [OK]
    assert manifest.counts() == {"no_audio": 1, "ok": 1}
    assert path.name == "test.manifest.jsonl"


@pytest.mark.parametrize("read", READERS)
def test_the_name_of_a_test_set_is_that_of_schema_1(tmp_path: Path, read: Callable[[Path], Any]):
    """Results that name a manifest of schema 1 compare with those that name the same one in schema 2."""
    old, new = tmp_path / "old.manifest.jsonl", tmp_path / "new.manifest.jsonl"
    old.write_bytes(schema_1([OK, LOST]))
    write_manifest(new, HEADER, [OK, LOST])
    assert old.read_bytes() != new.read_bytes()
    assert read(old).sha256 == read(new).sha256 == hashlib.sha256(schema_1([OK, LOST], tools=NAMED)).hexdigest()
    write_manifest(new, HEADER, [dataclasses.replace(OK, label="x"), LOST])
    changed = schema_1([dataclasses.replace(OK, label="x"), LOST], tools=NAMED)
    assert read(new).sha256 == hashlib.sha256(changed).hexdigest()
    assert read(new).sha256 != read(old).sha256


@pytest.mark.parametrize("read", READERS)
def test_versions_of_tools_are_no_part_of_the_name(tmp_path: Path, read: Callable[[Path], Any]):
    """The same bytes by another version are the same test set; a set made by no tool has a name of its own."""
    path, names = tmp_path / "test.manifest.jsonl", []
    for tools in ({"a": "1"}, {"a": "2", "b": "1"}, {}):
        write_manifest(path, dataclasses.replace(HEADER, tools=tools), [OK, LOST])
        names.append(read(path).sha256)
    assert names[0] == names[1] != names[2]
    assert names[2] == hashlib.sha256(schema_1([OK, LOST], tools={})).hexdigest()


def test_a_label_that_looks_like_the_field_of_a_hash_stays_in_the_name(tmp_path: Path):
    odd = dataclasses.replace(LOST, label='},"json_sha256":null,"label":', facts={"x": {"json_sha256": None}})
    write_manifest(tmp_path / "x.manifest.jsonl", HEADER, [odd])
    assert (
        read_manifest(tmp_path / "x.manifest.jsonl").sha256 == hashlib.sha256(schema_1([odd], tools=NAMED)).hexdigest()
    )


def test_one_line_each_with_sorted_keys():
    head, *lines = manifest_bytes(HEADER, [OK, LOST]).splitlines(keepends=True)
    assert len(lines) == 2
    sha256 = hashlib.sha256(b"".join(lines)).hexdigest()
    stated = f'{{"dataset":"d","lines_sha256":"{sha256}","n_lines":2,"profile":{{"fps":25.0}},"schema":2'
    assert head.decode().startswith(stated)


def test_joined_from_blocks_it_is_the_same_file(tmp_path: Path):
    path = tmp_path / "test.manifest.jsonl"
    whole = manifest_bytes(HEADER, [OK, LOST, OK])
    _, *lines = whole.splitlines(keepends=True)
    sha256 = join_manifest(path, HEADER, iter([lines[0] + lines[1], b"", lines[2]]))
    assert not path.exists()
    assert joined_path(path).read_bytes() == whole
    assert sha256 == hashlib.sha256(whole).hexdigest()
    assert [found.name for found in tmp_path.iterdir()] == [joined_path(path).name]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_that_json_lacks(value: float):
    with pytest.raises(ValueError, match="not JSON compliant"):
        manifest_bytes(HEADER, [dataclasses.replace(OK, facts={"x": value})])


def test_canonical_json():
    assert canonical_json({"b": 1, "a": [1.5, "é"]}) == '{"a":[1.5,"é"],"b":1}'


def changed_line(**changes: Any) -> bytes:
    """Return a manifest of schema 1, which states no hash, with fields of its one entry replaced."""
    head, line = schema_1([OK]).splitlines()
    return head + b"\n" + json.dumps({**json.loads(line), **changes}).encode() + b"\n"


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"{}\n", "line 1 is not a header"),
        (b"not json\n", "line 1 is not a header"),
        (b"[1]\n", "line 1 is not a header"),
        (b"\xff\xfe\n", "line 1 is not a header"),
        (schema_1([], schema=3), "schema 3, this version reads 1 and 2"),
        (schema_1([], schema="1"), "schema '1', this version reads 1"),
        (schema_1([], schema=True), "schema True, this version reads 1"),
        (schema_1([], schema=2), "line 1 is not a header .'n_lines' is missing"),
        (schema_1([], schema=2, n_lines="0", lines_sha256=""), "n_lines is '0', expected int"),
        (schema_1([], version=True), "version is 'True', expected int"),
        (schema_1([], profile=[]), "profile is '.]', expected dict"),
        (schema_1([], more=1), "line 1 is not a header"),
        (schema_1([]) + b'{"clip_id":"x"}\n', "line 2 is not an entry"),
        (schema_1([]) + b"{\n", "line 2 is not an entry"),
        (schema_1([]) + b"null\n", "line 2 is not an entry: None is no JSON object"),
        (changed_line(facts=None), "facts is 'None', expected dict"),
        (changed_line(clip_id=7), "clip_id is '7', expected str"),
        (changed_line(shard=["x"]), "shard is .*, expected str or null"),
        (changed_line(facts={"x": float("nan")}), "NaN is no number of JSON"),
        (changed_line(status="OK"), "'OK' is not a known status"),
        (changed_line(status="ok "), "'ok ' is not a known status"),
        (schema_1([OK, LOST])[:-1], "line 3 has no end: the file was cut"),
    ],
)
def test_what_is_no_manifest_is_named(tmp_path: Path, read: Callable[[Path], Any], content: bytes, message: str):
    path = tmp_path / "test.manifest.jsonl"
    path.write_bytes(content)
    with pytest.raises(ManifestError, match=message):
        read(path)


def test_a_manifest_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ManifestError, match="no manifest at"):
        read_manifest(tmp_path / "test.manifest.jsonl")
    with pytest.raises(ManifestError, match="is missing"):
        read_index(tmp_path / "test.manifest.jsonl")


def test_a_clip_is_ok_once(tmp_path: Path):
    write_manifest(tmp_path / "test.manifest.jsonl", HEADER, [OK, OK])
    with pytest.raises(ManifestError, match="twice as ok"):
        read_manifest(tmp_path / "test.manifest.jsonl")


@pytest.mark.parametrize("read", READERS)
def test_a_manifest_cut_at_the_end_of_a_line_is_refused(tmp_path: Path, read: Callable[[Path], Any]):
    path = tmp_path / "test.manifest.jsonl"
    lines = manifest_bytes(HEADER, [OK, LOST, LOST]).splitlines(keepends=True)
    for kept in (1, 2, 3):
        path.write_bytes(b"".join(lines[:kept]))
        with pytest.raises(ManifestError, match=f"has {kept - 1} lines after its header, which states 3"):
            read(path)
    path.write_bytes(b"".join([*lines, lines[-1]]))
    with pytest.raises(ManifestError, match="has 4 lines after its header"):
        read(path)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"label":"\xc3\xa9"', b'"label":"e"'), (b'"no_audio"', b'"no_video"'), (b"c" * 64, b"d" * 64), (b"{}", b"{ }")],
)
def test_an_altered_manifest_is_refused(tmp_path: Path, read: Callable[[Path], Any], old: bytes, new: bytes):
    path = tmp_path / "test.manifest.jsonl"
    whole = manifest_bytes(HEADER, [OK, LOST])
    assert old in whole
    path.write_bytes(whole.replace(old, new))
    with pytest.raises(ManifestError, match="was altered: the SHA-256 of its lines"):
        read(path)


def test_every_status_that_the_code_raises_is_known():
    """A word that is missing among the known ones would make every manifest that holds it unreadable."""
    import re

    import foleybench

    raised = re.compile(r"""(?:MediaError|FetchError)\(\s*"([a-z_]+)"|status="([a-z_]+)"|refused=\("([a-z_]+)""")
    found = set()
    for path in Path(foleybench.__file__).parent.rglob("*.py"):
        if {"media", "prepare", "datasets"} & set(path.parts):
            found |= {next(filter(None, words)) for words in raised.findall(path.read_text())}
    assert len(found) > 15
    assert found <= STATUSES


def test_a_second_line_for_a_clip_may_be_a_failure(tmp_path: Path):
    path = tmp_path / "test.manifest.jsonl"
    write_manifest(path, HEADER, [OK, dataclasses.replace(OK, status="duplicate_id", shard=None)])
    assert len(read_manifest(path).ok()) == 1


def test_a_file_is_the_old_one_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "deep" / "x"
    write_atomically(path, b"old")

    def stop(descriptor: int) -> None:
        raise OSError("the machine stops here")

    monkeypatch.setattr("foleybench.files.os.fsync", stop)
    with pytest.raises(FoleyError, match="deep/x cannot be written: the machine stops here"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]
