"""Copies in the manifests: flagged inside a split, listed between splits, the same however the run was stopped."""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from foleybench.errors import ManifestError
from foleybench.prepare import parse_options, prepare
from foleybench.prepare.duplicate_flags import BETWEEN, flag_duplicates, read_between, write_between
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest
from tests.made_media import RATE_HZ, write_video


def scene(seed: int, n: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Return two seconds of patches that change, and of bursts."""
    rng = np.random.default_rng(seed)
    first, last = rng.uniform(20, 230, (2, 4, 6))
    patches = [first + (last - first) * k / n for k in range(n)]
    frames = np.stack([np.kron(p, np.ones((12, 10)))[:, :, None].repeat(3, axis=2) for p in patches]).astype(np.uint8)
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    audio = np.zeros(len(t))
    for start, hz in zip(rng.uniform(0, 1.8, 14), rng.uniform(150, 3000, 14), strict=True):
        audio += (t >= start) * np.exp(-12 * np.maximum(0, t - start)) * np.sin(2 * np.pi * hz * t)
    return frames, (audio / np.abs(audio).max() / 2).astype(np.float32)


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    """Three clips; a file twice; a re-encoded, smaller, quieter copy; the audio of one under the video of another."""
    folder = tmp_path_factory.mktemp("videos")
    for name, seed in (("a", 1), ("b", 2), ("c", 3)):
        frames, audio = scene(seed)
        write_video(folder / f"{name}.mp4", frames, audio=audio)
    shutil.copy(folder / "a.mp4", folder / "d_same_file.mp4")
    frames, audio = scene(2)
    write_video(folder / "e_re_encoded.mkv", frames[:, ::2, ::2], audio=0.4 * audio, audio_codec="libmp3lame")
    write_video(folder / "f_same_sound.mp4", scene(4)[0], audio=scene(3)[1])
    return folder


def options(folder: Path, split: str) -> argparse.Namespace:
    return parse_options("folder", [str(folder), "--clip-seconds", "2", "--split", split])


def marks(manifest: Path) -> dict[str, tuple[list[str], str | None, str | None]]:
    return {
        e.source[0]: (e.facts["flags"], e.facts.get("duplicate_of"), e.facts.get("duplicate_kind"))
        for e in read_manifest(manifest).entries
    }


@pytest.mark.slow
def test_copies_inside_a_split_are_flagged(videos: Path, tmp_path: Path, tree):
    made = prepare("folder", options(videos, "test"), tmp_path / "out", jobs=1)
    assert marks(made["test"]) == {
        **{name: ([], None, None) for name in "abc"},
        "d": (["duplicate"], "a", "exact"),
        "e": (["duplicate"], "b", "near"),
        "f": (["same_sound"], "c", "same_sound"),
    }
    assert ShardDataset(made["test"]).verify() == []
    assert not (tmp_path / "out" / BETWEEN).exists()
    # A lost shard is made again from a manifest that carries marks.
    whole = tree(tmp_path / "out")
    next((tmp_path / "out").glob("*.tar")).unlink()
    prepare("folder", options(videos, "test"), tmp_path / "out", jobs=1)
    assert tree(tmp_path / "out") == whole


@pytest.mark.slow
def test_copies_between_splits_leave_the_manifests_alone(videos: Path, tmp_path: Path):
    out, train = tmp_path / "out", tmp_path / "train"
    test_only = prepare("folder", options(videos, "test"), tmp_path / "alone", jobs=1)["test"].read_bytes()
    train.mkdir()
    for name in ("a.mp4", "e_re_encoded.mkv"):
        shutil.copy(videos / name, train / f"again_{name}")
    write_video(train / "new.mp4", scene(9)[0], audio=scene(9)[1])
    prepare("folder", options(train, "train"), out, jobs=1)
    made = prepare("folder", options(videos, "test"), out, jobs=1)
    assert made["test"].read_bytes() == test_only
    assert read_between(out) == [
        {"clips": ["test/a", "train/again_a"], "kind": "exact"},
        {"clips": ["test/b", "train/again_e_re_encoded"], "kind": "near"},
    ]
    written = (out / BETWEEN).read_bytes()
    (out / BETWEEN).unlink()
    write_between(out)
    assert (out / BETWEEN).read_bytes() == written
    # A manifest that changed makes the file a thing of the past.
    made["test"].write_bytes(test_only.replace(b"e_re_encoded", b"x_re_encoded"))
    assert read_between(out) is None
    made["test"].write_bytes(test_only + b"{}\n")
    with pytest.raises(ManifestError, match="line 8 is damaged"):
        write_between(out)


@pytest.mark.usefixtures("workers_here")
def test_killed_before_the_file_between_splits_is_written(deeds, options, tree, tmp_path: Path, monkeypatch):
    from foleybench.prepare import engine

    asked = options("ok,ok", splits="train,test")
    prepare(deeds, asked, tmp_path / "whole")
    assert (tmp_path / "whole" / BETWEEN).is_file()
    monkeypatch.setattr(engine, "write_between", lambda out: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        prepare(deeds, asked, tmp_path / "out")
    monkeypatch.undo()
    prepare(deeds, asked, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def line(name: str, facts: dict, sha: str) -> bytes:
    record = {"clip_id": name, "status": "ok", "video_sha256": sha, "audio_sha256": sha, "facts": facts}
    return json.dumps(record).encode() + b"\n"


def test_old_marks_go():
    stale = {"flags": ["duplicate", "short"], "duplicate_of": "gone", "duplicate_kind": "near"}
    blocks = [line("a", {"flags": []}, "1") + line("b", stale, "2"), line("c", {"flags": []}, "1")]
    marked = [json.loads(text) for block in flag_duplicates(lambda: blocks) for text in block.splitlines()]
    assert [record["facts"] for record in marked] == [
        {"flags": []},
        {"flags": ["short"]},
        {"flags": ["duplicate"], "duplicate_of": "a", "duplicate_kind": "exact"},
    ]
    assert (
        next(iter(flag_duplicates(lambda: blocks))).splitlines()[0] == blocks[0].splitlines()[0]
    )  # untouched, to the byte
