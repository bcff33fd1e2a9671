"""``foleybench prepare`` shows what a data set says of its finished splits, and which manifests it replaced."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import pytest

from foleybench.cli import main
from foleybench.datasets import folder, synthfoley
from foleybench.datasets._parts import published_splits
from foleybench.files import canonical_json
from foleybench.shards.manifest import read_manifest, write_manifest
from tests.made_media import click, pictures, write_video


@pytest.fixture
def prepare(tmp_path: Path, capsys, workers_here):
    """Prepares two videos with further options; returns the lines on standard error."""
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / "videos" / name, pictures(30), audio=click(0.4, 1.2))

    def run(*more: str) -> list[str]:
        assert main(["prepare", "folder", str(tmp_path / "videos"), "--out", str(tmp_path / "out"), *more]) == 0
        captured = capsys.readouterr()
        assert captured.out.splitlines() == [str(tmp_path / "out" / "test.manifest.jsonl")]
        return captured.err.splitlines()

    return run


def test_remarks_go_to_standard_error_also_when_nothing_is_left_to_make(prepare, tmp_path, monkeypatch):
    asked = []

    def remarks(manifests: dict[str, Path]) -> list[str]:
        asked.append(manifests)
        return ["test: warm", "test: WARNING: wet"]

    monkeypatch.setattr(folder, "DATASET", dataclasses.replace(folder.DATASET, remarks=remarks))
    for _ in range(2):
        assert prepare() == ["test: 2 ok", "test: warm", "test: WARNING: wet"]
    assert asked == [{"test": tmp_path / "out" / "test.manifest.jsonl"}] * 2


def test_a_manifest_that_was_replaced_is_named(prepare, tmp_path):
    path = tmp_path / "out" / "test.manifest.jsonl"
    told = f"test: {path} was replaced by another one; in a clone, `git restore` brings a committed one back"
    assert prepare() == ["test: 2 ok"]
    assert prepare("--force") == ["test: 2 ok"]
    assert prepare("--limit", "1", "--force") == ["test: 1 ok", told]


def test_so_is_one_that_came_without_shards(prepare, tmp_path):
    path = tmp_path / "out" / "test.manifest.jsonl"
    assert prepare() == ["test: 2 ok"]
    manifest = read_manifest(path)
    committed = tmp_path / "committed" / path.name
    for name, entries in (("the same", manifest.entries), ("another", manifest.entries[:1])):
        write_manifest(committed, manifest.header, entries)
        path.parent.rename(tmp_path / name)
        path.parent.mkdir()
        path.write_bytes(committed.read_bytes())
        (path.parent / "val.manifest.jsonl").write_bytes(committed.read_bytes())
        told = prepare()
        assert told[0] == "test: 2 ok"
        assert [line.startswith(f"test: {path} was replaced") for line in told[1:]] == [True] * (name == "another")


@pytest.mark.slow
def test_a_split_of_synthfoley_is_the_published_one_or_not(tmp_path, monkeypatch, capsys):
    published, out = tmp_path / "published.jsonl", tmp_path / "out"
    published.write_text("")
    remarks = functools.partial(published_splits.remarks, published=published)
    monkeypatch.setattr(synthfoley, "DATASET", dataclasses.replace(synthfoley.DATASET, remarks=remarks))
    words = ["prepare", "synthfoley", "--splits", "heldout_fps", "--limit", "1", "--seconds", "1.2", "--pixels", "32"]

    def told() -> list[str]:
        assert main([*words, "--out", str(out)]) == 0
        return [line for line in capsys.readouterr().err.splitlines() if "published" in line]

    assert told() == []
    made, _ = published_splits.stated(out / "heldout_fps.manifest.jsonl")
    published.write_text(f"{canonical_json(made)}\n")
    assert told() == [f"heldout_fps: the published split {made['sha256'][:12]}"]
    published.write_text(f"{canonical_json({**made, 'sha256': 'f' * 64, 'lines_sha256': 'f' * 64})}\n")
    assert told()[0].startswith("heldout_fps: WARNING: not the published split ffffffffffff")
