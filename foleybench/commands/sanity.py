"""``foleybench sanity``: measure what each metric notices and misses."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from foleybench.commands._options import FITTING, add_choice, add_common, add_data, choice_of, whole_number
from foleybench.errors import EXIT_OK, EXIT_PARTIAL, FoleyError

HELP = "make the real audio worse step by step and show what each metric sees of it"
EXAMPLE = "foleybench sanity --data shards/synthfoley/test.manifest.jsonl --protocol synth --out out/sanity"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    what = parser.add_mutually_exclusive_group(required=True)
    add_data(what, required=False)
    what.add_argument(
        "--card-texts",
        type=Path,
        metavar="DIR",
        help="write the texts of the cards in this folder again, above the measurements; score nothing",
    )
    parser.add_argument(
        "--every-metric",
        action="store_true",
        help="with --card-texts: also a card for each metric that has none yet, and index.md with all of them",
    )
    add_choice(parser, FITTING)
    parser.add_argument("--degradations", nargs="+", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--limit", type=whole_number(1), help="only this many clips, spread over the data set")
    parser.add_argument(
        "--resamples", type=whole_number(1), default=1000, help="random sign vectors of an interval (default: 1000)"
    )
    parser.add_argument("--cache", type=Path, help="folder of the feature cache (default: the user's cache folder)")
    parser.add_argument("--cards", type=Path, metavar="DIR", help="also write a card for each metric into this folder")
    parser.add_argument("--out", type=Path, default=Path("out/sanity"), help="folder (default: %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be scored, and score nothing")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Run the suite, print the page's path; 3 when a metric is out of order on a degradation that it is for."""
    from foleybench.features.cache import default_folder
    from foleybench.files import require_writable
    from foleybench.runtime import provenance
    from foleybench.sanity import cards, write
    from foleybench.sanity import run as suite
    from foleybench.sanity.degradations import DEGRADATIONS
    from foleybench.scoring.choice import choose
    from foleybench.scoring.device import usable_device
    from foleybench.scoring.fitting_protocol import fitting, refuse_other_data
    from foleybench.shards.folder_dataset import open_dataset

    if args.card_texts:
        return _write_texts(args)
    if args.every_metric:
        raise FoleyError("--every-metric goes with --card-texts: both write texts and measure nothing.")
    names = tuple(args.degradations or DEGRADATIONS)
    unknown = sorted(set(names) - set(DEGRADATIONS))
    if unknown:
        raise FoleyError(f"no degradation {', '.join(unknown)}; there are {', '.join(DEGRADATIONS)}.")
    protocol, metrics = choice_of(args)
    data = open_dataset(args.data)
    data.require_clips()
    if protocol is None and not metrics:
        protocol, because = fitting(data)
        sys.stderr.write(f"{because}\n")
    choice = choose(protocol, metrics)
    refuse_other_data(choice, data)
    for folder, option in ((args.out, "--out"), (args.cards or args.out, "--cards")):
        require_writable(folder, option)
    if args.dry_run:
        n_steps = 1 + sum(len(DEGRADATIONS[name].levels) for name in names)
        under = choice.facts()["name"]
        sys.stderr.write(f"would score {n_steps} versions of {args.data} under {under} into {args.out}\n")
        return EXIT_OK
    request = suite.SanityRequest(
        data=args.data,
        protocol=protocol,
        metrics=metrics,
        work=args.out / ".sound",
        degradations=names,
        limit=args.limit,
        seed=args.seed,
        resamples=args.resamples,
        device=usable_device(args.device),
        cache=None if args.force else args.cache or default_folder(),
    )
    outcome = suite.run_sanity(request)
    page = write.write_sanity(outcome, args.out, provenance.command_line())
    if args.cards:
        cards.write_cards(outcome, args.cards, provenance.command_line())
    sys.stderr.write(write.verdict_markdown(outcome, provenance.command_line()))
    sys.stdout.write(f"{page}\n")
    return EXIT_PARTIAL if write.faults(outcome) else EXIT_OK


def _write_texts(args: argparse.Namespace) -> int:
    """Write the texts of cards again, print their paths."""
    from foleybench.files import require_writable
    from foleybench.sanity import cards

    require_writable(args.card_texts, "--card-texts")
    missing = cards.write_missing(args.card_texts) if args.every_metric else []
    written = sorted({*missing, *cards.rewrite_heads(args.card_texts)})
    sys.stdout.writelines(f"{card}\n" for card in written)
    return EXIT_OK
