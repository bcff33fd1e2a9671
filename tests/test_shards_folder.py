"""What the top-level folder ``shards/`` holds: the manifests that committed results name, and no media."""

import json
from pathlib import Path

from foleybench.shards.manifest import read_manifest

ROOT = Path(__file__).resolve().parents[1]


def test_every_synthfoley_result_names_a_committed_manifest():
    committed = {read_manifest(path).sha256: path.name for path in (ROOT / "shards").glob("*/*.manifest.jsonl")}
    named = {}
    for path in (ROOT / "leaderboards").rglob("*.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        if result.get("dataset", {}).get("name") == "synthfoley":
            named[result["dataset"]["manifest_sha256"]] = f"{result['dataset']['split']}.manifest.jsonl"
    assert named
    assert {sha256: committed.get(sha256) for sha256 in named} == named
    assert set(committed) == set(named), "a manifest that no result names does not belong here"
