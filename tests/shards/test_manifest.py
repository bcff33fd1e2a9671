"""The manifest: canonical bytes, a hash that names the test set, errors that name the line."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from foleybench.errors import FoleyError, ManifestError
from foleybench.files import canonical_json, write_atomically
from foleybench.shards.manifest import Entry, Header, manifest_bytes, manifest_path, read_manifest, write_manifest

HEADER = Header(dataset="d", split="test", version=1, profile={"fps": 25.0}, tools={"a": "1"})
OK = Entry(clip_id="a_000000", source="s", source_id="a", label="", status="ok", shard="test-000000.tar")
LOST = Entry(clip_id="b_000000", source="s\n", source_id="b", label="é", status="no_audio", reason="has no sound")


def test_round_trip_and_hash(tmp_path: Path):
    path = manifest_path(tmp_path, "test")
    write_manifest(path, HEADER, [OK, LOST])
    manifest = read_manifest(path)
    assert manifest.header == HEADER
    assert manifest.entries == (OK, LOST)
    assert manifest.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest.ok() == [OK]
    assert manifest.counts() == {"no_audio": 1, "ok": 1}
    assert path.name == "test.manifest.jsonl"


def test_one_line_each_with_sorted_keys():
    lines = manifest_bytes(HEADER, [OK, LOST]).decode().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith('{"dataset":"d","profile":{"fps":25.0},"schema":1')


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_that_json_lacks(value: float):
    with pytest.raises(ValueError, match="not JSON compliant"):
        manifest_bytes(HEADER, [dataclasses.replace(OK, facts={"x": value})])


def test_canonical_json():
    assert canonical_json({"b": 1, "a": [1.5, "é"]}) == '{"a":[1.5,"é"],"b":1}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no manifest at"),
        (b"", "is empty"),
        (b"{}\n", "line 1 is not a header"),
        (b"not json\n", "line 1 is not a header"),
        (b"[1]\n", "line 1 is not a header"),
        (b"\xff\xfe\n", "line 1 is not a header"),
        (manifest_bytes(HEADER, []) + b'{"clip_id":"x"}\n', "line 2 is not a entry"),
        (manifest_bytes(HEADER, []) + b"{\n", "line 2 is not a entry"),
        (manifest_bytes(dataclasses.replace(HEADER, schema=2), []), "schema 2"),
        (manifest_bytes(HEADER, [OK, OK]), "twice as ok"),
    ],
)
def test_what_is_no_manifest_is_named(tmp_path: Path, content: bytes | None, message: str):
    path = tmp_path / "test.manifest.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ManifestError, match=message):
        read_manifest(path)


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
