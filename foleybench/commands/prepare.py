"""``foleybench prepare``: turn a data set into shards and manifests."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from foleybench import registry
from foleybench.commands import _prepare_features, _prepare_plan
from foleybench.commands._options import whole_number
from foleybench.errors import EXIT_OK, EXIT_PARTIAL
from foleybench.files import file_sha256, require_writable

if TYPE_CHECKING:
    from foleybench.prepare import SplitPlan

HELP = "turn videos into shards and manifests; goes on from where an earlier run stopped"
EXAMPLE = "foleybench prepare folder my_videos --out shards/mine --jobs 2"

_CLIPS_PER_SHEET = 3


class _DatasetParser(argparse.ArgumentParser):
    """The parser of one data set: its file is imported when its options are needed, not for the list of names."""

    recipe = ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Add the options, then parse."""
        if self.recipe:
            dataset = registry.load("datasets", self.recipe)
            self.recipe = ""
            self.description = dataset.description
            dataset.add_arguments(self)
            _add_common(self)
            self.set_defaults(time_limit=dataset.time_limit_s)
        return super().parse_known_args(args, namespace)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per data set."""
    # It complains as the parser of the command does.
    kind = cast("type[_DatasetParser]", type("DatasetParser", (_DatasetParser, type(parser)), {}))
    datasets = parser.add_subparsers(
        dest="recipe", help="the data set to prepare", metavar="DATASET", required=True, parser_class=kind
    )
    for name in registry.names("datasets"):
        child = datasets.add_parser(name, help=registry.summary("datasets", name).replace("%", "%%"))
        child.recipe = name
    features = datasets.add_parser(_prepare_features.NAME, help=_prepare_features.HELP)
    _prepare_features.add_arguments(features)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="folder of the shards and manifests, or a URL (s3://bucket/name); default: shards/<name of the data set>",
    )
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="with a URL: folder for what is under way (default: in ~/.cache)"
    )
    parser.add_argument(
        "--jobs", type=whole_number(1), metavar="N", help="number of workers (default: 1; with Ray all of the cluster)"
    )
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="where the workers run (default: local processes)"
    )
    parser.add_argument(
        "--ray-address", metavar="ADDRESS", help="a running Ray cluster (default: RAY_ADDRESS or this machine's)"
    )
    parser.add_argument("--limit", type=whole_number(1), metavar="N", help="only the first N clips of each split")
    parser.add_argument(
        "--time-limit",
        type=_seconds,
        metavar="S",
        help="give a clip up after this long; waiting for its turn does not count (default: the data set's own)",
    )
    parser.add_argument("--force", action="store_true", help="make everything again")
    parser.add_argument(
        "--retry", action="store_true", help="try clips again whose failure may go away, when they are due"
    )
    parser.add_argument("--retry-now", action="store_true", help="the same, due or not")
    parser.add_argument("--dry-run", action="store_true", help="say what would be made, and make nothing")
    _prepare_plan.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Prepare and print the paths of the manifests."""
    if args.recipe == _prepare_features.NAME:
        return _prepare_features.run(args)
    require_writable(_places(args)[0], "--out")
    if args.plan:
        return _prepare_plan.run(args, _places(args)[0])
    if args.dry_run:
        return _dry_run(args)
    from foleybench.prepare import prepare
    from foleybench.shards.manifest import read_manifest

    out, url = _places(args)
    before = _manifest_hashes(out)
    manifests = prepare(
        args.recipe,
        args,
        out,
        url=url,
        jobs=args.jobs,
        engine=args.engine,
        ray_address=args.ray_address,
        time_limit_s=args.time_limit,
        limit=args.limit,
        force=args.force,
        retry=args.retry,
        retry_now=args.retry_now,
        progress=True,
        tell=_tell,
    )
    n_failed = 0
    for split, path in manifests.items():
        counts = read_manifest(path).counts()
        n_failed += sum(n for status, n in counts.items() if status != "ok")
        sys.stderr.write(f"{split}: {', '.join(f'{n} {status}' for status, n in counts.items())}\n")
        _tell_again(split, counts)
        sys.stdout.write(f"{f'{url}/{path.name}' if url else path}\n")
    for line in (*registry.load("datasets", args.recipe).remarks(manifests), *_replaced(before, manifests)):
        _tell(line)
    _write_card(out, args.recipe)
    if args.recipe == "synthfoley" and not url:
        _write_contact_sheets(out / "contact_sheets", manifests)
    return EXIT_PARTIAL if n_failed else EXIT_OK


def _tell_again(split: str, counts: Mapping[str, int]) -> None:
    """Say what another run could still obtain, and how."""
    from foleybench.prepare.retry_log import NOT_HERE, goes_away

    if n_absent := counts.get(NOT_HERE, 0):
        advice = "put them there or add --fetch, and run the same command with --retry"
        _tell(f"{split}: clips without a file under --from: {n_absent}; {advice}")
    if n_again := sum(n for status, n in counts.items() if goes_away(status) and status != NOT_HERE):
        _tell(f"{split}: failures that may go away: {n_again}; the same command with --retry tries them again")


def _places(args: argparse.Namespace) -> tuple[Path, str | None]:
    """Return the folder of the run, and the URL that shards go to, if it is one."""
    from foleybench.clip_ids import short_hash, slug
    from foleybench.shards.store import is_url

    if args.out is None:
        return Path("shards", getattr(args, "dataset_name", None) or args.recipe), None
    if not is_url(args.out):
        return Path(args.out.removeprefix("file://")), None
    url = args.out.rstrip("/")
    name = f"{slug(url)[:60]}-{short_hash(url)}"
    return args.work or Path.home() / ".cache" / "foleybench" / "prepare" / name, url


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _manifest_hashes(folder: Path) -> dict[Path, str]:
    from foleybench.shards.manifest import SUFFIX

    return {path: file_sha256(path) for path in folder.glob(f"*{SUFFIX}")}


def _replaced(before: Mapping[Path, str], manifests: Mapping[str, Path]) -> list[str]:
    """Say which manifests were there before and are other files now: in a clone some are committed."""
    return [
        f"{split}: {path} was replaced by another one; in a clone, `git restore` brings a committed one back"
        for split, path in manifests.items()
        if path in before and before[path] != file_sha256(path)
    ]


def _write_card(folder: Path, recipe: str) -> None:
    """Write the data set card of all the splits in a folder."""
    from foleybench.dataset_card.card import write_card
    from foleybench.dataset_card.counts import read_overview
    from foleybench.shards.manifest import SUFFIX

    overviews = [read_overview(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    if write_card(folder, overviews, recipe) is None:
        sys.stderr.write(f"{folder / 'README.md'} was not written by foleybench and stays as it is\n")


def _write_contact_sheets(folder: Path, manifests: Mapping[str, Path]) -> None:
    """Draw the first clips of every class; a sheet that is newer than the manifests stays."""
    from foleybench.shards.dataset import ShardDataset
    from foleybench.synthfoley.contact_sheet import contact_sheet

    newest = max(path.stat().st_mtime for path in manifests.values())
    shown: dict[str, list[tuple[ShardDataset, str]]] = {}
    for path in manifests.values():
        data = ShardDataset(path)
        for clip_id in data.clip_ids:
            shown.setdefault(data.entry(clip_id).label, []).append((data, clip_id))
    for label, clips in sorted(shown.items()):
        sheet = folder / f"{label}.png"
        if not sheet.is_file() or sheet.stat().st_mtime < newest:
            contact_sheet([data.load(clip_id) for data, clip_id in clips[:_CLIPS_PER_SHEET]], sheet)
    sys.stderr.write(f"{len(shown)} contact sheets in {folder}\n")


def _dry_run(args: argparse.Namespace) -> int:
    from foleybench.prepare import plan

    dataset = registry.load("datasets", args.recipe)
    out, url = _places(args)
    for split in plan(args.recipe, args, out, limit=args.limit, force=args.force, url=url):
        n_refused = len(split.items) - len(split.wanted)
        n_left = 0 if split.complete else len(split.wanted) - split.n_staged
        state = "complete" if split.complete else f"{split.n_staged} staged"
        sys.stderr.write(
            f"{split.split}: {len(split.items)} asked for, {n_refused} refused by name, {state}, {n_left} to make\n"
        )
        # (A split that is complete, or staged, needs no media.)
        for line in dataset.outlook(args, split.left) if n_left else ():
            sys.stderr.write(f"{split.split}: {line}\n")
        if split.complete:
            _tell_failures(out, split)
    return EXIT_OK


def _tell_failures(out: Path, split: SplitPlan) -> None:
    """Say which failures of a finished split may be tried again, now or later."""
    from foleybench.prepare.retry_policy import RetryWatch
    from foleybench.shards.manifest import manifest_path, read_manifest

    manifest = read_manifest(manifest_path(out, split.split))
    n_due, n_all = (
        sum(map(watch.again(split.split), split.items, (entry.status for entry in manifest.entries)))
        for watch in (RetryWatch(out, retry=True, retry_now=False), RetryWatch(out, retry=False, retry_now=True))
    )
    if n_all:
        sys.stderr.write(
            f"{split.split}: {n_all} failures may go away: {n_due} may be tried now (--retry), {n_all - n_due} later\n"
        )


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return value


_seconds.__name__ = "number of seconds"  # argparse's name for the type in its message
