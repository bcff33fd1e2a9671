"""``foleybench prepare features``: features as shards, for training."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from foleybench.errors import EXIT_OK, EXIT_PARTIAL
from foleybench.files import require_writable

if TYPE_CHECKING:
    from foleybench.prepare.feature_shards import FeatureRequest

NAME = "features"
HELP = "Encoder outputs of a prepared split, as shards beside it."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--data", required=True, metavar="MANIFEST", help="manifest of a prepared split, path or URL")
    parser.add_argument("--out", type=Path, required=True, help="folder of the feature shards")
    parser.add_argument(
        "--encoder", action="append", required=True, metavar="NAME", help="an encoder; repeat for several"
    )
    parser.add_argument("--device", default="cpu", help="torch device: cpu, cuda, cuda:1, or auto (default: cpu)")
    parser.add_argument("--half", action="store_true", help="keep features as float16")
    parser.add_argument("--jobs", type=int, metavar="N", help="shards at a time (default: 1; with Ray all it has)")
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="where the encoders run (default: local processes)"
    )
    parser.add_argument(
        "--ray-address", metavar="ADDRESS", help="a running Ray cluster (default: RAY_ADDRESS or this machine's)"
    )
    parser.add_argument("--force", action="store_true", help="make everything again")
    parser.add_argument("--dry-run", action="store_true", help="say what would be made, and make nothing")


def run(args: argparse.Namespace) -> int:
    """Make the features and print the path of their manifest."""
    from foleybench.prepare.feature_shards import make_features, plan_features
    from foleybench.shards.manifest import read_manifest
    from foleybench.shards.store import is_url

    if not is_url(str(args.out)):
        require_writable(args.out, "--out")
    request = _request(args, args.data if is_url(args.data) else Path(args.data.removeprefix("file://")))
    if args.dry_run:
        planned = plan_features(request)
        sys.stderr.write(
            f"{planned.header.split}: {len(planned.index)} clips in {len(planned.groups)} shards, "
            f"{len(planned.left)} shards to make\n"
        )
        return EXIT_OK
    path = make_features(request)
    counts = read_manifest(path).counts()
    sys.stderr.write(f"{', '.join(f'{n} {status}' for status, n in counts.items())}\n")
    sys.stdout.write(f"{path}\n")
    return EXIT_OK if set(counts) <= {"ok"} else EXIT_PARTIAL


def _request(args: argparse.Namespace, data: Path | str) -> FeatureRequest:
    from foleybench.prepare.feature_shards import FeatureRequest
    from foleybench.scoring.device import usable_device

    return FeatureRequest(
        data=data,
        out=args.out,
        encoders=tuple(args.encoder),
        device=usable_device(args.device),
        half=args.half,
        jobs=args.jobs if args.jobs is not None else (0 if args.engine == "ray" else 1),
        engine=args.engine,
        ray_address=args.ray_address,
        force=args.force,
    )
