"""``foleybench show``: what a manifest, a result file, a metric or a protocol says of itself, for a person."""

from __future__ import annotations

import argparse
import collections
import sys
from pathlib import Path

from foleybench.errors import EXIT_OK, FoleyError

HELP = "show a manifest (counts by status, label and flag), a result file, or the card of a metric or protocol"
EXAMPLE = "foleybench show shards/synthfoley/test.manifest.jsonl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument(
        "path",
        type=Path,
        help="a manifest, a folder of manifests, a result file; or `metrics` or `protocols` and a name",
    )
    parser.add_argument("name", nargs="?", help="with `metrics` or `protocols`: whose card to show")
    parser.add_argument("--verify", action="store_true", help="manifests: check every shard member against its hash")


def run(args: argparse.Namespace) -> int:
    """Print the summary; verification problems end with an error."""
    from foleybench.manifest import SUFFIX

    path: Path = args.path
    if args.name is not None:
        sys.stdout.write(_card(str(path), args.name))
    elif path.is_dir():
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


def _card(kind: str, name: str) -> str:
    """Return the card of a metric or a protocol as text.

    Raises:
        FoleyError: There are no cards of that kind, or no such name.
    """
    from foleybench import cards

    if kind not in cards.KINDS:
        raise FoleyError(f"{kind!r} has no cards; write one of {', '.join(cards.KINDS)} before the name.")
    return cards.KINDS[kind](name)


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
