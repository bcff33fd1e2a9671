"""What every data set keeps of the contract ``foleybench.api.dataset``."""

from __future__ import annotations

from pathlib import Path

import pytest

from foleybench import registry
from foleybench.api.dataset import Dataset
from foleybench.shards.manifest import Entry, Header, write_manifest


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_remarks_are_lines_that_begin_with_the_split(name: str, tmp_path: Path):
    dataset: Dataset = registry.load("datasets", name)
    assert dataset.remarks({}) == []
    entry = Entry(clip_id="a_000000", source="a", source_id="a", label="", status="no_audio", reason="has no audio")
    manifests = {split: tmp_path / f"{split}.manifest.jsonl" for split in ("train", "test")}
    for split, path in manifests.items():
        header = Header(dataset=name, split=split, version=dataset.version, profile={}, tools={})
        write_manifest(path, header, [entry])
    # Beside them what is committed, on which there may be something to say.
    for path in (Path(__file__).resolve().parents[2] / "shards" / name).glob("*.manifest.jsonl"):
        manifests[path.name.partition(".")[0]] = path
    told = dataset.remarks(manifests)
    assert isinstance(told, list)
    starts = tuple(f"{split}: " for split in manifests)
    assert all(line.startswith(starts) and "\n" not in line for line in told)
