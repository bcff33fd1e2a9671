"""``foleybench leaderboard``: tables and page from results, or check them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from foleybench.errors import EXIT_OK, EXIT_STALE, FoleyError, ResultError

HELP = "make the tables and the page from result files, check that they are current, or compare two results"
EXAMPLE = "foleybench leaderboard --check"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    home = Path("leaderboards")
    parser.add_argument("--results", type=Path, default=home / "results", help="folder of result files (%(default)s)")
    parser.add_argument("--out", type=Path, default=home, help="folder for the tables and index.html (%(default)s)")
    parser.add_argument(
        "--published",
        type=Path,
        default=None,
        help="list of reported values (default: published.csv in --out, then in leaderboards/; 'none' leaves them out)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 4 when a file would change or a result was edited; name rows made by other code",
    )
    parser.add_argument(
        "--compare",
        nargs=2,
        type=Path,
        metavar=("A.json", "B.json"),
        help="print two results side by side, on the clips that both cover",
    )


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    if args.compare:
        from foleybench.leaderboard import compare

        sys.stdout.write(compare.table(*args.compare))
        return EXIT_OK
    return _check(args) if args.check else _write(args)


def _write(args: argparse.Namespace) -> int:
    from foleybench.leaderboard import build

    if not args.results.is_dir():
        raise FoleyError(f"no folder at {args.results}; run `foleybench eval` first, or name another with --results.")
    touched = build.write(build.build(args.results, _published(args)), args.out)
    for path in touched:
        sys.stderr.write(f"{'wrote' if path.exists() else 'removed'} {path}\n")
    sys.stdout.write(f"{args.out / 'index.html'}\n")
    return EXIT_OK


def _check(args: argparse.Namespace) -> int:
    from foleybench.artefacts.entries import read_all
    from foleybench.leaderboard import build
    from foleybench.leaderboard.other_code import made_by_other_code

    try:
        problems = build.stale(build.build(args.results, _published(args)), args.out)
    except ResultError as error:
        problems = [str(error)]
    for problem in problems:
        sys.stderr.write(f"stale: {problem}\n")
    if problems:
        sys.stderr.write("Run `foleybench leaderboard` and commit what it writes.\n")
        return EXIT_STALE
    sys.stderr.writelines(f"note: {line}\n" for line in made_by_other_code(read_all(args.results)))
    return EXIT_OK


def _published(args: argparse.Namespace) -> Path | None:
    if args.published is not None:
        return None if str(args.published) == "none" else args.published
    for folder in (args.out, Path("leaderboards")):
        if (folder / "published.csv").is_file():
            return Path(folder / "published.csv")
    return None
