"""``foleybench leaderboard``: tables and page from results, or check them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from foleybench.commands._options import RESULTS
from foleybench.errors import EXIT_OK, EXIT_STALE, FoleyError, ResultError

HELP = "make the tables and the page from result files, check that they are current, or compare two results"
EXAMPLE = "foleybench leaderboard --check"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    home = Path("leaderboards")
    parser.add_argument(
        "--results",
        type=Path,
        default=None,
        help="folder of result files (default: leaderboards/results; where there is none, those of this package)",
    )
    parser.add_argument("--out", type=Path, default=home, help="folder for the tables and index.html (%(default)s)")
    parser.add_argument(
        "--people",
        type=Path,
        default=None,
        metavar="DIR",
        help="folder of what `votes` found in listening tests, for the column people (default: beside --results)",
    )
    parser.add_argument(
        "--published",
        type=Path,
        default=None,
        help="list of reported values (default: published.csv in --out, in leaderboards/, or this package's; "
        "'none' leaves them out)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 4 when a file would change or a result was edited; name rows made by other code",
    )
    parser.add_argument(
        "--row",
        nargs="+",
        type=Path,
        metavar="RESULT.json",
        help="with --check: results that are about to be submitted; name what each lacks, and show its rank",
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
    if args.row:
        if not args.check:
            raise FoleyError("--row goes with --check: both read results and write nothing.")
        return _check_rows(args)
    return _check(args) if args.check else _write(args)


def _write(args: argparse.Namespace) -> int:
    from foleybench.files import require_writable
    from foleybench.leaderboard import build

    require_writable(args.out, "--out")
    files = build.leaderboard_files(_results(args), _published(args), args.out, args.people)
    touched = build.write_leaderboard(files, args.out)
    for path in touched:
        sys.stderr.write(f"{'wrote' if path.exists() else 'removed'} {path}\n")
    sys.stdout.write(f"{args.out / 'index.html'}\n")
    return EXIT_OK


def _check(args: argparse.Namespace) -> int:
    from foleybench.artefacts.entries import read_all
    from foleybench.leaderboard import build
    from foleybench.leaderboard.other_code import made_by_other_code

    results = args.results or RESULTS
    if args.results is None and not results.is_dir():
        raise FoleyError(f"no folder at {results}, so there is nothing to check; name another with --results.")
    try:
        problems = build.stale(build.leaderboard_files(results, _published(args), args.out, args.people), args.out)
    except ResultError as error:
        problems = [str(error)]
    for problem in problems:
        sys.stderr.write(f"stale: {problem}\n")
    if problems:
        sys.stderr.write("Run `foleybench leaderboard` and commit what it writes.\n")
        return EXIT_STALE
    sys.stderr.writelines(f"note: {line}\n" for line in made_by_other_code(read_all(results)))
    return EXIT_OK


def _check_rows(args: argparse.Namespace) -> int:
    """Print what each submitted row lacks and its ranks; 4 when a row lacks something."""
    from foleybench.leaderboard.submission import examine

    lacking = False
    for path in args.row:
        try:
            problems, places = examine(path, args.results or RESULTS)
        except ResultError as error:
            problems, places = [str(error)], []
        sys.stdout.writelines(f"{line}\n" for line in places)
        sys.stderr.writelines(f"lacking: {problem}\n" for problem in problems)
        lacking = lacking or bool(problems)
    return EXIT_STALE if lacking else EXIT_OK


def _results(args: argparse.Namespace) -> Path:
    """Return the folder of results; without --results and without a folder here, the package's, with a message."""
    from foleybench.artefacts import shipped

    if args.results is None and not RESULTS.is_dir() and shipped.results().is_dir():
        sys.stderr.write(f"no folder at {RESULTS}: showing the results that come with foleybench.\n")
        return shipped.results()
    found: Path = args.results or RESULTS
    if not found.is_dir():
        raise FoleyError(f"no folder at {found}; run `foleybench eval` first, or name another with --results.")
    return found


def _published(args: argparse.Namespace) -> Path | None:
    from foleybench.artefacts import shipped

    if args.published is not None:
        return None if str(args.published) == "none" else args.published
    places = [args.out / "published.csv", Path("leaderboards/published.csv"), shipped.published()]
    return next((place for place in places if place.is_file()), None)
