"""What the top-level folder ``shards/`` holds: the manifests of today's SynthFoley, and no media."""

import json
from pathlib import Path

from foleybench.shards.manifest import read_manifest
from foleybench.synthesis.splits import CorpusOptions
from foleybench.synthfoley import VERSION
from foleybench.synthfoley.splits import split_specs

ROOT = Path(__file__).resolve().parents[1]
PATHS = sorted((ROOT / "shards").glob("*/*.manifest.jsonl"))


def test_every_synthfoley_result_names_a_committed_manifest():
    committed = {read_manifest(path).sha256: path.name for path in PATHS}
    named = {}
    for path in (ROOT / "leaderboards").rglob("*.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        if result.get("dataset", {}).get("name") == "synthfoley":
            named[result["dataset"]["manifest_sha256"]] = f"{result['dataset']['split']}.manifest.jsonl"
    assert {sha256: committed.get(sha256) for sha256 in named} == named


def test_the_committed_manifests_are_of_todays_corpus():
    assert {path.parent.name for path in PATHS} == {"synthfoley", "synthfoley_23s"}
    for path in PATHS:
        manifest = read_manifest(path)
        assert manifest.header.profile["corpus_version"] == VERSION, path
        options = CorpusOptions(duration_s=manifest.header.profile["duration_s"])
        wanted = [spec.clip_id for spec in split_specs(manifest.header.split, options)]
        assert sorted(entry.clip_id for entry in manifest.ok()) == sorted(wanted), path
        assert manifest.header.split != "train", "only what is scored is committed"
