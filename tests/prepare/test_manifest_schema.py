"""Splits that were prepared before manifests stated their lines, and words that manifests do not know."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from foleybench.prepare import pack, prepare
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest
from foleybench.shards.manifest_lines import _TOOLS


def make_old(folder: Path) -> bytes:
    """Turn a finished split into what was written before schema 2; return its manifest."""
    path, record = folder / "test.manifest.jsonl", folder / ".prepared" / "test.json"
    head, *lines = (json.loads(line) for line in path.read_bytes().splitlines())
    # The versions that made it are those that names hold, whatever is installed here.
    kept = {k: v for k, v in head.items() if k not in ("n_lines", "lines_sha256")}
    old = [{**kept, "schema": 1, "tools": _TOOLS}]
    old += [{k: v for k, v in line.items() if k != "json_sha256"} for line in lines]
    texts = [json.dumps(one, sort_keys=True, ensure_ascii=False, separators=(",", ":")) for one in old]
    path.write_text("".join(f"{text}\n" for text in texts))
    known = json.loads(record.read_bytes())
    record.write_text(json.dumps({**known, "manifest_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}))
    return path.read_bytes()


@pytest.mark.usefixtures("workers_here")
def test_an_old_split_is_complete_and_left_alone(deeds, options, tmp_path: Path):
    path = prepare(deeds, options("ok,bad,ok"), tmp_path / "out")["test"]
    name = read_manifest(path).sha256
    old = make_old(tmp_path / "out")
    assert hashlib.sha256(old).hexdigest() == name
    prepare(deeds, options("ok,bad,ok"), tmp_path / "out")
    assert path.read_bytes() == old
    assert read_manifest(path).sha256 == name


@pytest.mark.usefixtures("workers_here")
def test_an_old_split_with_a_lost_shard_keeps_its_name_and_bytes(deeds, options, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(pack, "MAX_CLIPS", 2)
    path = prepare(deeds, options("ok,bad,ok,ok"), tmp_path / "out")["test"]
    name, lost = read_manifest(path).sha256, tmp_path / "out" / "test-000001.tar"
    shard = lost.read_bytes()
    make_old(tmp_path / "out")
    lost.unlink()
    prepare(deeds, options("ok,bad,ok,ok"), tmp_path / "out")
    assert lost.read_bytes() == shard
    made = read_manifest(path)
    assert made.sha256 == name
    # What was not made again has no hash of its JSON member; what was has it.
    assert [bool(entry.json_sha256) for entry in made.entries] == [False, False, True, True]
    assert ShardDataset(path).verify() == []


@pytest.mark.usefixtures("workers_here")
def test_the_hash_of_the_json_member_is_that_of_the_file(deeds, options, tmp_path: Path):
    path = prepare(deeds, options("ok,refused,twin,twin"), tmp_path / "out")["test"]
    data = ShardDataset(path)
    for entry in data.entries():
        assert entry.json_sha256 == hashlib.sha256(data.members(entry.clip_id)["json"]).hexdigest()
    assert read_manifest(path).entries[1].json_sha256 is None


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_word_that_manifests_do_not_know_becomes_failed(deeds, options, tmp_path: Path, jobs: int):
    path = prepare(deeds, options("ok,odd_word,ok"), tmp_path / "out", jobs=jobs)["test"]
    entries = read_manifest(path).entries
    assert [entry.status for entry in entries] == ["ok", "failed", "ok"]
    assert entries[1].reason == "wrong_weather: it rained"
