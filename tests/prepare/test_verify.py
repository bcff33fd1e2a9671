"""``foleybench shards verify``: every way of damaging a shard is found and named."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from foleybench.cli import main
from foleybench.errors import ManifestError
from foleybench.prepare import pack, prepare
from foleybench.prepare.verify import Checked, ShardProblem, manifests_in, verify
from foleybench.shards.dataset import write_shard
from tests.prepare.conftest import SOURCE
from tests.prepared_here import run_here

Members = list[tuple[str, bytes]]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with nine clips of three shards, and one that failed."""
    import argparse

    folder = tmp_path_factory.mktemp("verify")
    (folder / "deeds.py").write_text(SOURCE)
    options = argparse.Namespace(deeds="ok,ok,ok,ok,bad,ok,ok,ok,ok", splits="test", flavour="plain", log="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "MAX_CLIPS", 3)
        patch.setattr("foleybench.prepare.engine.run_tasks", run_here)
        prepare(f"{folder / 'deeds.py'}:DATASET", options, folder / "out")
    return folder / "out"


@pytest.fixture
def copy(prepared: Path, tmp_path: Path) -> Path:
    """Return the manifest of a copy that may be damaged."""
    import shutil

    shutil.copytree(prepared, tmp_path / "copy")
    return tmp_path / "copy" / "test.manifest.jsonl"


def problems(manifest: Path | str, **options) -> list[str]:
    return [f"{one.shard} {one.what}" for one in verify(manifest, **options) if isinstance(one, ShardProblem)]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("jobs", [1, 3])
def test_whole_shards_have_no_problems(prepared: Path, fast: bool, jobs: int):
    found = list(verify(prepared / "test.manifest.jsonl", fast=fast, jobs=jobs))
    assert [(one.shard, one.n_clips) for one in found if isinstance(one, Checked)] == [
        ("test-000000.tar", 3),
        ("test-000001.tar", 2),
        ("test-000002.tar", 3),
    ]
    assert len(found) == 3
    assert found[0].n_bytes == (prepared / "test-000000.tar").stat().st_size


def read_tar(path: Path) -> Members:
    with tarfile.open(path) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar]


def write_tar(path: Path, members: Members) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            tar.addfile(member, io.BytesIO(data))


def swapped(members: Members) -> Members:
    return [*members[3:6], *members[:3], *members[6:]]


DAMAGES: list[tuple[Callable[[Members], Members], list[str]]] = [
    (lambda m: m[:4] + m[5:], ["clip001_000000 lacks json"]),
    (lambda m: m[:6], ["lacks 1 clips that the manifest lists: clip002_000000"]),
    (
        lambda m: [*m, ("clip009_000000.mp4", b"x")],
        ["holds clip009_000000.mp4 of a clip that the manifest lists in no or another"],
    ),
    (lambda m: [*m, ("clip002_000000.wav", b"x")], ["holds clip002_000000.wav, which the manifest does not know"]),
    (lambda m: [*m[:3], m[2], *m[3:]], ["holds clip000_000000.mp4 twice"]),
    (lambda m: [(m[0][0], m[0][1] + b"x"), *m[1:]], ["clip000_000000.flac is not what the manifest recorded"]),
    (lambda m: [m[0], (m[1][0], b"{}"), *m[2:]], ["clip000_000000.json is not what the manifest recorded"]),
    (swapped, ["holds its clips in another order"]),
]


@pytest.mark.parametrize(("damage", "named"), DAMAGES)
def test_wrong_members_are_named(copy: Path, damage: Callable[[Members], Members], named: list[str]):
    shard = copy.parent / "test-000000.tar"
    write_tar(shard, damage(read_tar(shard)))
    found = problems(copy)
    assert len(found) == len(named), found
    for one, words in zip(found, named, strict=True):
        assert one.startswith("test-000000.tar ")
        assert words in one
    # The fast way sees the same shard, though not what is wrong in it.
    (fast,) = problems(copy, fast=True)
    assert fast.startswith("test-000000.tar ")


@pytest.mark.parametrize("boundary", range(10))
def test_a_tar_cut_at_any_member_is_noticed(copy: Path, boundary: int):
    shard = copy.parent / "test-000002.tar"
    with tarfile.open(shard) as tar:
        offsets = [member.offset for member in tar] + [tar.offset]
    data = shard.read_bytes()
    shard.write_bytes(data[: offsets[boundary]])
    found = problems(copy)
    assert any("was cut: it ends after" in one for one in found)
    lost = 3 - -(-boundary // 3)
    assert any(f"lacks {lost} clips" in one for one in found) == (lost > 0)
    assert any("clip00" in one and "_000000 lacks " in one for one in found) == (boundary % 3 > 0)
    # An end mark does not help: the clips are still missing.
    shard.write_bytes(data[: offsets[boundary]] + bytes(10240))
    found = problems(copy)
    same = shard.read_bytes() == data
    assert bool(found) != same
    assert len(problems(copy, fast=True)) == (0 if same else 1)


def test_every_flipped_byte_is_noticed(copy: Path):
    shard = copy.parent / "test-000001.tar"
    whole = shard.read_bytes()
    places = range(0, len(whole), 97)
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        shard.write_bytes(bytes(damaged))
        assert problems(copy), place
    assert len(places) > 100


def test_missing_stray_and_unlisted_shards_are_named(copy: Path):
    (copy.parent / "test-000001.tar").unlink()
    write_shard(copy.parent / "test-000007.tar", [])
    for fast in (True, False):
        assert problems(copy, fast=fast) == [
            "test-000001.tar is missing.",
            "test-000007.tar is no shard of this manifest.",
        ]


def test_a_changed_manifest_is_named(copy: Path):
    copy.write_text(copy.read_text().replace("made 1", "made up"))
    found = verify(copy)
    problem = next(found)
    assert isinstance(problem, ShardProblem)
    assert "is not the manifest that was recorded" in problem.what
    with pytest.raises(ManifestError, match="was altered"):
        next(found)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda meta: {}, "clip000_000000.json lacks or garbles"),
        (lambda meta: {**meta, "label": "y"}, "clip000_000000.json and the manifest disagree on label"),
        (lambda meta: {**meta, "events": []}, None),
    ],
)
def test_manifests_of_schema_1_know_the_json_member_by_what_they_say(copy: Path, change: Any, named: str | None):
    head, *lines = (json.loads(line) for line in copy.read_bytes().splitlines())
    old = [{**{k: v for k, v in head.items() if k not in ("n_lines", "lines_sha256")}, "schema": 1}]
    old += [{k: v for k, v in line.items() if k != "json_sha256"} for line in lines]
    copy.write_text("".join(f"{json.dumps(line)}\n" for line in old))
    (copy.parent / ".prepared" / "test.json").unlink()
    assert problems(copy) == []
    shard = copy.parent / "test-000000.tar"
    m = read_tar(shard)
    write_tar(shard, [m[0], (m[1][0], json.dumps(change(json.loads(m[1][1]))).encode()), *m[2:]])
    assert [named in one for one in problems(copy)] == ([True] if named else [])


def test_without_a_record_only_members_can_be_checked(copy: Path):
    (copy.parent / ".prepared" / "test.json").unlink()
    assert problems(copy) == []
    with pytest.raises(ManifestError, match="without --fast"):
        problems(copy, fast=True)


def test_shards_at_a_url_are_verified(copy: Path):
    files = fsspec.filesystem("memory")
    for path in copy.parent.rglob("*"):
        if path.is_file():
            files.pipe_file(f"/verify/{path.relative_to(copy.parent)}", path.read_bytes())
    (url,) = manifests_in("memory://verify")
    assert problems(url) == problems(url, fast=True) == []
    files.pipe_file("/verify/test-000000.tar", (copy.parent / "test-000000.tar").read_bytes()[:-600])
    assert len(problems(url, fast=True)) == 1


def test_the_command_names_problems_and_ends_with_one(copy: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["shards", "verify", str(copy.parent), "--jobs", "2"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "3 shards, 8 clips" in captured.err
    assert main(["shards", "list", str(copy)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[1] for line in lines] == ["3", "2", "3"]
    assert lines[0].startswith(f"{copy.parent / 'test-000000.tar'}\t")
    (copy.parent / "test-000001.tar").write_bytes(b"")
    assert main(["shards", "verify", str(copy), "--fast"]) == 1
    assert "test-000001.tar has 0 bytes" in capsys.readouterr().out
    assert main(["shards", "verify", str(copy.parent / "nothing")]) == 1
    assert "neither a manifest nor a folder" in capsys.readouterr().err
