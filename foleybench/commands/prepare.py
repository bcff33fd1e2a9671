"""``foleybench prepare``: turn a data set into shards and manifests."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from foleybench import registry
from foleybench.errors import EXIT_OK, EXIT_PARTIAL

HELP = "turn videos into shards and manifests; goes on from where an earlier run stopped"
EXAMPLE = "foleybench prepare folder my_videos --out shards/mine --jobs 2"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per data set."""
    datasets = parser.add_subparsers(dest="dataset_name", metavar="DATASET", required=True)
    for name in registry.names("datasets"):
        dataset = registry.load("datasets", name)
        child = datasets.add_parser(name, help=dataset.description, description=dataset.description)
        dataset.add_arguments(child)
        _add_common(child)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder of the shards and manifests")
    parser.add_argument("--jobs", type=_positive, default=1, metavar="N", help="number of workers (default: 1)")
    parser.add_argument("--limit", type=_positive, metavar="N", help="only the first N clips of each split")
    parser.add_argument(
        "--time-limit", type=float, default=120.0, metavar="S", help="give a clip up after this long (default: 120)"
    )
    parser.add_argument("--force", action="store_true", help="make everything again")
    parser.add_argument(
        "--retry", action="store_true", help="try clips again that timed out, crashed or ran out of memory"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be made, and make nothing")


def run(args: argparse.Namespace) -> int:
    """Prepare and print the paths of the manifests."""
    if args.dry_run:
        return _dry_run(args)
    from foleybench.manifest import read_manifest
    from foleybench.prepare import prepare

    manifests = prepare(
        args.dataset_name,
        args,
        args.out,
        jobs=args.jobs,
        time_limit_s=args.time_limit,
        limit=args.limit,
        force=args.force,
        retry=args.retry,
        progress=True,
    )
    n_failed = 0
    for split, path in manifests.items():
        counts = read_manifest(path).counts()
        n_failed += sum(n for status, n in counts.items() if status != "ok")
        sys.stderr.write(f"{split}: {', '.join(f'{n} {status}' for status, n in counts.items())}\n")
        sys.stdout.write(f"{path}\n")
    return EXIT_PARTIAL if n_failed else EXIT_OK


def _dry_run(args: argparse.Namespace) -> int:
    from foleybench.prepare import plan

    for split in plan(args.dataset_name, args, args.out, limit=args.limit, force=args.force):
        n_refused = len(split.items) - len(split.wanted)
        n_left = 0 if split.complete else len(split.wanted) - split.n_staged
        state = "complete" if split.complete else f"{split.n_staged} staged"
        sys.stderr.write(
            f"{split.split}: {len(split.items)} asked for, {n_refused} refused by name, {state}, {n_left} to make\n"
        )
    return EXIT_OK


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value
