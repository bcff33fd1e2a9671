"""``foleybench show``: what a manifest or a result file says, for a person."""

from __future__ import annotations

import argparse
import collections
import sys
from pathlib import Path

from foleybench.errors import EXIT_OK, FoleyError

HELP = "show a manifest (counts by status, label and flag) or a result file"
EXAMPLE = "foleybench show shards/synthfoley/test.manifest.jsonl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("path", type=Path, help="a manifest, a folder of manifests, or a result file")
    parser.add_argument("--verify", action="store_true", help="manifests: check every shard member against its hash")


def run(args: argparse.Namespace) -> int:
    """Print the summary; verification problems end with an error."""
    from foleybench.manifest import SUFFIX

    path: Path = args.path
    if path.is_dir():
        manifests = sorted(path.glob(f"*{SUFFIX}"))
        if not manifests:
            raise FoleyError(f"{path} holds no *{SUFFIX}; name a manifest or a result file.")
        for manifest in manifests:
            _show_manifest(manifest, args.verify)
    elif path.name.endswith(SUFFIX):
        _show_manifest(path, args.verify)
    else:
        _show_result(path)
    return EXIT_OK


def _show_manifest(path: Path, verify: bool) -> None:
    from foleybench.shards import ShardDataset

    data = ShardDataset(path)
    header, manifest = data.manifest.header, data.manifest
    lines = [f"{header.dataset}/{header.split}: {len(manifest.entries)} clips asked for, {len(data)} ok"]
    lines += [f"  sha256 {manifest.sha256}", f"  profile {header.profile}"]
    lines += [f"  status {status}: {n}" for status, n in manifest.counts().items()]
    flags = collections.Counter(flag for entry in manifest.entries for flag in entry.facts.get("flags", []))
    lines += [f"  flag {flag}: {n}" for flag, n in sorted(flags.items())]
    labels = collections.Counter(entry.label for entry in manifest.ok() if entry.label)
    lines += [f"  label {label}: {n}" for label, n in sorted(labels.items())]
    lines += [f"  {e.clip_id}: {e.status}: {e.reason}" for e in manifest.entries if e.status != "ok"]
    sys.stdout.write("\n".join(lines) + "\n")
    if verify:
        problems = data.verify()
        if problems:
            raise FoleyError("shards do not agree with the manifest: " + "; ".join(problems))
        sys.stdout.write("  every member agrees with its recorded hash\n")


def _show_result(path: Path) -> None:
    from foleybench import results
    from foleybench.commands.eval import tell

    tell(results.read(path), sys.stdout)
