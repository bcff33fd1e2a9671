"""``foleybench shards``: check shards, or list them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from foleybench.errors import EXIT_ERROR, EXIT_OK

HELP = "verify the shards of a prepared split, or list them"
EXAMPLE = "foleybench shards verify shards/vggsound --jobs 4"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("action", choices=("verify", "list"), help="what to do")
    parser.add_argument("place", metavar="PATH", help="a manifest, or a folder with manifests; a path or a URL")
    parser.add_argument(
        "--fast", action="store_true", help="verify: each shard's size and SHA-256 only, not every member"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="shards read at a time (default: 1)")


def run(args: argparse.Namespace) -> int:
    """Verify or list; ``verify`` names every difference on standard output, and returns 1 when there is one."""
    from foleybench.prepare.verify import manifests_in
    from foleybench.shards.store import is_url

    place = args.place if is_url(args.place) else Path(args.place.removeprefix("file://"))
    manifests = manifests_in(place)
    if args.action == "list":
        return _list(manifests)
    return max(_verify(manifest, args) for manifest in manifests)


def _verify(manifest: str, args: argparse.Namespace) -> int:
    from foleybench.prepare.verify import Checked, ShardProblem, verify
    from foleybench.runtime.progress import Progress

    n_problems = n_clips = n_shards = n_bytes = 0
    with Progress(unit="B", unit_scale=True, desc=Path(manifest).name) as bar:
        for found in verify(manifest, fast=args.fast, jobs=max(1, args.jobs)):
            if isinstance(found, ShardProblem):
                n_problems += 1
                sys.stdout.write(f"{manifest}: {found.shard} {found.what}\n")
            elif isinstance(found, Checked):
                n_shards, n_clips, n_bytes = n_shards + 1, n_clips + found.n_clips, n_bytes + found.n_bytes
                bar.update(found.n_bytes)
    how = "sizes and hashes of shards" if args.fast else "every member"
    sys.stderr.write(
        f"{manifest}: {n_shards} shards, {n_clips} clips, {n_bytes / 1e9:.3f} GB read ({how}): {n_problems} problems\n"
    )
    return EXIT_ERROR if n_problems else EXIT_OK


def _list(manifests: list[str]) -> int:
    """Print each shard's place, clips and bytes: a list to give to webdataset, since numbers may have gaps."""
    from foleybench.shards.index import read_index

    for manifest in manifests:
        index = read_index(manifest)
        sizes = index.store.sizes()
        for number, shard in enumerate(index.shards):
            n_clips = int(index.starts[number + 1] - index.starts[number])
            size = sizes.get(shard)
            shown = "missing" if size is None else str(size)
            sys.stdout.write(f"{index.store.locate(shard)}\t{n_clips}\t{shown}\n")
    return EXIT_OK
