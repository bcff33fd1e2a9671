"""``foleybench votes``: what the votes of a listening test say."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleybench.commands._options import listed_manifest
from foleybench.errors import EXIT_OK, EXIT_PARTIAL

if TYPE_CHECKING:
    from foleybench.artefacts.listening import Key
    from foleybench.people.summary import Study

HELP = "preference rates and Bradley-Terry scores from votes, and how well each metric agrees with people"
EXAMPLE = "foleybench votes votes/*.json --key out/study/key.json --results leaderboards/results"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument(
        "votes",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="JSON files that listening pages saved; or CSV with the columns rater,clip,A,B,choice (A, B or tie) or "
        "rater,clip,system,score",
    )
    parser.add_argument("--key", type=Path, help="key.json that `foleybench listen` wrote; JSON files need it")
    parser.add_argument("--reference", metavar="NAME", help="the real audio among the systems of a CSV, for screening")
    parser.add_argument("--anchor", metavar="NAME", help="the audio that cannot fit among them, for screening")
    parser.add_argument("--no-screening", action="store_true", help="keep raters who fail the checks")
    parser.add_argument("--question", default="", help="what was asked, when there is no key")
    parser.add_argument("--data", type=Path, help="manifest of a prepared split, its folder, or a folder of videos")
    parser.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="folder of result files: say how well each metric agrees with people",
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="write the votes that counted, with the systems' names"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("leaderboards/people"),
        help="folder for the result, from which the leaderboard takes its column `people` (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the tables and the path of the result; 3 when raters were left out."""
    from foleybench.artefacts.listening import read_key
    from foleybench.artefacts.people import write_people
    from foleybench.files import require_writable, write_atomically
    from foleybench.people.screening import screen
    from foleybench.people.summary import summarise
    from foleybench.people.table_text import people_text
    from foleybench.people.votes import read_all_votes, votes_csv

    require_writable(args.out, "--out")
    if args.csv:
        require_writable(args.csv.parent, "--csv")
    key = read_key(args.key) if args.key else None
    study = _study(args, key)
    votes, left_out = read_all_votes(args.votes, key)
    sys.stderr.writelines(f"{line}\n" for line in left_out)
    pair = (key.reference, key.anchor) if key and not args.reference else (args.reference, args.anchor)
    screened = screen(votes, *pair, exclude=not args.no_screening)
    found = summarise(screened, study)
    if args.results:
        found["metrics"] = _metrics(args, found, screened.votes, study, {name for name in pair if name})
    path = write_people(args.out, found)
    if args.csv:
        write_atomically(args.csv, votes_csv(screened.votes).encode())
    sys.stderr.write(people_text(found))
    sys.stdout.write(f"{path}\n")
    return EXIT_PARTIAL if screened.excluded else EXIT_OK


def _study(args: argparse.Namespace, key: Key | None) -> Study:
    from foleybench.people.summary import Study

    if key and not args.data:
        return Study(question=key.question, dataset=key.dataset, sources=key.sources)
    question = key.question if key else args.question
    if not args.data:
        return Study(question=question, dataset=None, sources={})
    from foleybench.shards.manifest import read_manifest

    manifest = read_manifest(listed_manifest(args.data))
    header = manifest.header
    dataset = {"name": header.dataset, "split": header.split, "manifest_sha256": manifest.sha256}
    return Study(question=question, dataset=dataset, sources={e.clip_id: e.source_id for e in manifest.ok()})


def _metrics(args: argparse.Namespace, found: Any, votes: Any, study: Study, aside: set[str]) -> list[dict[str, Any]]:
    from foleybench.artefacts.entries import read_all
    from foleybench.errors import FoleyError
    from foleybench.people.metric_agreement import agreement_table

    if not args.results.is_dir():
        raise FoleyError(f"no folder of results at {args.results}; run `foleybench eval` first, or name another.")
    table = agreement_table(found, votes, study, read_all(args.results), aside)
    if not table:
        names = ", ".join(sorted(set(found["systems"]) - aside))
        sys.stderr.write(f"no result in {args.results} is about these clips and one of {names}.\n")
    return table
