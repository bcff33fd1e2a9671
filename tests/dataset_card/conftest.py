"""A folder of shards with something to show: two splits, flags, failures, copies, hostile names."""

import json
from pathlib import Path

import pytest

from foleybench.prepare.duplicate_flags import write_between
from foleybench.shards.manifest import Entry, Header, manifest_path, read_manifest, write_manifest

HOSTILE = '<script>alert("x")</script>\u2028\u202e| `x`'


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, make_clicks) -> Path:
    """Return the folder; its test split has shards, its train split only a manifest."""
    home = tmp_path_factory.mktemp("shown")
    made = read_manifest(make_clicks(home, 6))
    entries = []
    for k, entry in enumerate(made.entries):
        facts = {**entry.facts, "flags": [["silent"], ["out_of_step", "short"], [], [], [], []][k]}
        facts |= {"av_offset_s": [0.0, 2.5, 0.0, 0.04, 0.0, -0.02][k], "source_fps": [25.0, 12.5, 30, 30, 25, 25][k]}
        facts |= {"source_width": 640, "source_height": 360 + 2 * (k % 2), "peak": 0.1 * k, "content_offset_s": None}
        entries.append(Entry(**{**vars(entry), "facts": facts}))
    entries[3].facts.update(duplicate_of=entries[0].clip_id, duplicate_kind="near", flags=["duplicate"])
    for k, (status, reason) in enumerate(
        [("no_audio", "the file holds no audio"), ("too_short", "0.3 s of it"), ("too_short", "0.45 s of it")]
    ):
        entries.append(_lost(f"lost{k}_000000", "ticks", status, reason))
    entries.append(_lost("hostile_000000", HOSTILE, "undecodable", f"bad {HOSTILE}"))
    header = Header(dataset="clicks", split="test", version=1, profile={"name": "test"}, tools={"pyav": "18"})
    write_manifest(manifest_path(home, "test"), header, entries)
    train = [Entry(**{**vars(entries[1]), "clip_id": "twin_000000", "shard": "train-000000.tar"})]
    write_manifest(
        manifest_path(home, "train"),
        Header(dataset="clicks", split="train", version=1, profile={"name": "test"}, tools={}),
        train,
    )
    write_between(home)
    return home


def _lost(clip_id: str, label: str, status: str, reason: str) -> Entry:
    return Entry(clip_id=clip_id, source="x", source_id="x", label=label, status=status, reason=reason)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return a manifest of 3,000 clips in 300 classes without shards."""
    header = Header(dataset="large", split="test", version=1, profile={"name": "test"}, tools={})
    facts = {"duration_s": 10.0, "flags": [], "av_offset_s": 0.0}
    ok = {"source": "x", "status": "ok", "audio_sha256": "0", "video_sha256": "0", "facts": facts}
    entries = [
        Entry(
            **ok,
            clip_id=f"c{k:05d}_000000",
            source_id=f"c{k}",
            label=f"class {k % 300}",
            shard=f"test-{k // 50:06d}.tar",
        )
        if k % 7
        else _lost(f"c{k:05d}_000000", f"class {k % 300}", "timeout", f"not done after {k} s")
        for k in range(3000)
    ]
    path = manifest_path(tmp_path, "test")
    write_manifest(path, header, entries)
    assert json.loads(path.read_text().splitlines()[1])["status"] == "timeout"
    return path


@pytest.fixture
def hostile(tmp_path: Path, make_clicks) -> Path:
    """Return a manifest with thumbnails whose labels, sources and reasons are hostile, among them 10,000 characters."""
    path = make_clicks(tmp_path / "hostile", 3)
    manifest = read_manifest(path)
    labels = [HOSTILE, "\u202egnola\u2066" + "</title><img src=x onerror=alert(1)>", "long" * 2500]
    entries = [Entry(**{**vars(entry), "label": label}) for entry, label in zip(manifest.entries, labels, strict=True)]
    entries += [
        Entry(**{**vars(_lost(f"lost{k}_000000", label, "undecodable", f"bad {label}")), "source": label})
        for k, label in enumerate(labels)
    ]
    write_manifest(path, manifest.header, entries)
    return path
