"""Plans and runs that ``prepare`` refuses, each by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foleybench.errors import FoleyError, ManifestError
from foleybench.prepare import parse_options, plan, prepare
from foleybench.prepare.tool_versions import tool_versions
from foleybench.shards.dataset import ShardDataset


def test_a_data_set_that_cannot_be_imported_is_an_error(deeds, options, tmp_path: Path, monkeypatch):
    broken = tmp_path / "broken.py"
    broken.write_text(
        (tmp_path / "deeds.py").read_text() + "\nimport os\nif 'FAIL' in os.environ: raise RuntimeError('no')\n"
    )
    monkeypatch.setattr("foleybench.prepare.engine.load_dataset", _load_before(str(broken), monkeypatch))
    with pytest.raises(FoleyError, match=r"did not start.*RuntimeError: no"):
        prepare(f"{broken}:DATASET", options(), tmp_path / "out")


def _load_before(path: str, monkeypatch):
    from foleybench import registry

    dataset = registry.load("datasets", f"{path}:DATASET")
    monkeypatch.setenv("FAIL", "1")
    return lambda name: dataset


def test_nothing_asked_for_is_an_error(deeds, options, tmp_path: Path):
    text = (
        (tmp_path / "deeds.py")
        .read_text()
        .replace("def items(options):\n    return [", "def items(options):\n    return [][:0] and [")
    )
    (tmp_path / "deeds.py").write_text(text)
    with pytest.raises(FoleyError, match="no clips"):
        plan(deeds, options(), tmp_path / "out")


@pytest.mark.parametrize("split", ["../up", "a/b", "", "a b", "a.b"])
def test_a_split_name_never_becomes_a_path(deeds, options, tmp_path: Path, split: str):
    with pytest.raises(FoleyError, match="split"):
        plan(deeds, options(splits=f"{split}"), tmp_path / "out")


@pytest.mark.parametrize(("old", "new"), [("clip{index:03d}_000000", "../{index}"), ("clip{index:03d}_000000", "same")])
def test_ids_are_checked(deeds, options, tmp_path: Path, old: str, new: str):
    path = tmp_path / "deeds.py"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(FoleyError, match=r"clip id"):
        plan(deeds, options(), tmp_path / "out")


def test_options_can_be_made_from_python(deeds):
    assert parse_options(deeds, ["--deeds", "bad"]).deeds == "bad"


@pytest.mark.usefixtures("workers_here")
def test_the_shard_holds_what_the_data_set_knows(deeds, options, tmp_path: Path):
    made = prepare(deeds, options("ok"), tmp_path / "out")
    meta = json.loads(ShardDataset(made["test"]).members("clip000_000000")["json"])
    assert meta["events"] == [{"time_s": 0.5}]
    assert meta["factors"] == {"index": 0}
    assert (meta["duration_s"], meta["rate_hz"], meta["split"], meta["label"]) == (1.0, 8000, "test", "x")


@pytest.mark.usefixtures("workers_here")
def test_a_record_that_is_damaged_is_named(deeds, options, tmp_path: Path):
    prepare(deeds, options(), tmp_path / "out")
    (tmp_path / "out" / ".prepared" / "test.json").write_text("{")
    with pytest.raises(FoleyError, match=r"test\.json is damaged"):
        prepare(deeds, options(), tmp_path / "out")


def test_retry_refuses_shards_that_changed(deeds, options, tmp_path: Path):
    made = prepare(deeds, options("ok,crash"), tmp_path / "out")
    shard = made["test"].parent / "test-000000.tar"
    data = bytearray(shard.read_bytes())
    data[600] ^= 1
    shard.write_bytes(bytes(data))
    with pytest.raises(ManifestError, match="SHA-256"):
        prepare(deeds, options("ok,crash"), tmp_path / "out", retry=True)


@pytest.mark.usefixtures("workers_here")
def test_other_versions_of_the_tools_are_refused_by_name(deeds, options, tmp_path: Path, monkeypatch):
    prepare(deeds, options(), tmp_path / "out")
    monkeypatch.setattr("foleybench.prepare.engine.tool_versions", lambda: {**tool_versions(), "pyav": "0.1"})
    with pytest.raises(FoleyError, match=r"tools\.pyav was .* now .0\.1.*--force"):
        prepare(deeds, options(), tmp_path / "out")
