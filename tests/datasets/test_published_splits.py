"""Prepared splits that should be published ones: the list is that of ``shards/``, and what is said of a split is so.

``python -m tests.datasets.test_published_splits`` writes the list anew, after the manifests in ``shards/`` changed.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from foleybench.datasets._parts.published_splits import stated
from foleybench.datasets.synthfoley import DATASET
from foleybench.errors import ManifestError
from foleybench.files import canonical_json
from foleybench.shards.manifest import Entry, read_manifest, write_manifest
from foleybench.synthfoley.splits import PUBLISHED

SHARDS = Path(__file__).resolve().parents[2] / "shards"
COMMITTED = sorted(SHARDS.glob("synthfoley*/*.manifest.jsonl"))
FPS = SHARDS / "synthfoley" / "heldout_fps.manifest.jsonl"
NAME = read_manifest(FPS).sha256[:12]


def listed() -> str:
    """The list of published manifests, from the committed ones."""
    return "".join(f"{canonical_json(stated(path)[0])}\n" for path in COMMITTED)


def changed(
    out: Path, entry: Callable[[Entry], Entry] = lambda entry: entry, n: int | None = None, **header: object
) -> Path:
    """Write the committed manifest with another header, and its first entry changed; only the first ``n`` entries."""
    manifest = read_manifest(FPS)
    first, *rest = manifest.entries[:n]
    path = out / FPS.name
    write_manifest(path, dataclasses.replace(manifest.header, **header), [entry(first), *rest])
    return path


def said(path: Path) -> list[str]:
    """The remarks on a manifest, without the split's name, with which each begins."""
    lines = DATASET.remarks({"heldout_fps": path})
    assert all(line.startswith("heldout_fps: ") for line in lines)
    return [line.removeprefix("heldout_fps: ") for line in lines]


def header_with(**profile: object) -> dict:
    return {"profile": {**read_manifest(FPS).header.profile, **profile}}


def other_tools(**tools: str) -> dict:
    return {"tools": {**read_manifest(FPS).header.tools, **tools}}


def other_sound(entry: Entry) -> Entry:
    return dataclasses.replace(entry, audio_sha256="0" * 64)


def test_the_list_is_that_of_the_committed_manifests():
    assert len(COMMITTED) == 8
    assert PUBLISHED.read_text(encoding="utf-8") == listed(), __doc__


def test_every_committed_manifest_is_published():
    assert DATASET.remarks({}) == []
    for path in COMMITTED:
        split = path.name.removesuffix(".manifest.jsonl")
        name = read_manifest(path).sha256[:12]
        assert DATASET.remarks({split: path}) == [f"{split}: the published split {name}"]


def test_other_bytes_by_the_same_versions_are_blamed_on_the_processor(tmp_path):
    path = changed(tmp_path, other_sound)
    first, *rest = said(path)
    assert first == f"WARNING: not the published split {NAME}; this one is {read_manifest(path).sha256[:12]} ({path})"
    assert rest[0] == "a result on it is of another test set: it will not be ranked beside the published rows"
    assert "another processor, C library or NumPy" in rest[1]
    assert "x86-64 with AVX2" in rest[1]
    assert "foleybench doctor" in rest[2]
    assert len(rest) == 3


def test_other_versions_are_named(tmp_path):
    path = changed(tmp_path, other_sound, **other_tools(libavcodec="61.1.2"))
    told = said(path)
    assert "made by other versions: libavcodec 61.1.2 (published: 62.28.102)" in told
    assert any("--force" in line for line in told)
    assert not any("processor" in line or "to the byte" in line for line in told)


def test_the_same_clips_by_other_versions_are_the_published_set(tmp_path):
    path = changed(tmp_path, **other_tools(libsndfile="1.3.0", foleybench="2.0"))
    assert said(path) == [f"the published split {NAME}"]


def test_other_events_beside_the_same_media_have_the_same_name(tmp_path):
    path = changed(tmp_path, lambda entry: dataclasses.replace(entry, json_sha256="0" * 64))
    told = said(path)
    assert told[0] == (
        f"WARNING: video and audio are those of the published split {NAME}, the events (JSON) are not ({path})"
    )
    published, here = (json.loads(one.read_text().splitlines()[0])["lines_sha256"][:12] for one in (FPS, path))
    assert told[1] == f"its lines_sha256 is {here}, published {published}"
    assert not any("not be ranked" in line for line in told)


def test_clips_that_failed_are_the_reason(tmp_path):
    lost = {"shard": None, "audio_sha256": None, "video_sha256": None, "json_sha256": None}

    def fail(entry: Entry) -> Entry:
        return dataclasses.replace(entry, status="timeout", **lost)

    told = said(changed(tmp_path, fail))
    assert told[0].startswith("WARNING: not the published split")
    assert told[2:] == ["clips failed (1 timeout), in the published one none did: try them again with --retry"]
    also = said(changed(tmp_path, fail, **other_tools(pyav="1.0")))
    assert also[2] == told[2]
    assert also[3] == "made by other versions: pyav 1.0 (published: 18.1.0)"


@pytest.mark.parametrize(
    "header",
    [{"split": "train"}, {"version": 3}, {"dataset": "mine"}, header_with(seed=1), header_with(size="base")],
    ids=["split", "version", "data set", "seed", "size"],
)
def test_what_was_asked_for_otherwise_gets_no_remark(tmp_path, header):
    assert said(changed(tmp_path, **header)) == []


def test_the_first_clips_alone_get_no_remark(tmp_path):
    assert said(changed(tmp_path, n=24)) == []


def test_a_manifest_that_was_altered_is_refused(tmp_path):
    path = Path(shutil.copy(FPS, tmp_path))
    path.write_bytes(path.read_bytes().replace(b'"status":"ok"', b'"status":"no"', 1))
    with pytest.raises(ManifestError, match="altered"):
        said(path)


if __name__ == "__main__":
    PUBLISHED.write_text(listed(), encoding="utf-8")
