"""``foleybench prepare ... --plan``: the cost of preparing many clips."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from foleybench.errors import EXIT_OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("planning")
    group.add_argument(
        "--plan", action="store_true", help="measure a few clips, estimate the cost of all of them, and keep nothing"
    )
    group.add_argument("--plan-sample", type=int, default=20, metavar="N", help="clips to measure (default: 20)")
    group.add_argument(
        "--plan-clips", type=int, metavar="N", help="plan for this many clips (default: those asked for)"
    )
    group.add_argument(
        "--plan-hours",
        type=float,
        default=24.0,
        metavar="H",
        help="hours in which all clips are to be done (default: 24)",
    )
    group.add_argument("--plan-cores", type=int, default=16, metavar="N", help="cores of a machine (default: 16)")
    group.add_argument(
        "--price-core-hour", type=float, default=0.05, metavar="P", help="a core for an hour (default: 0.05, assumed)"
    )
    group.add_argument(
        "--price-gb-month", type=float, default=0.023, metavar="P", help="a GB for a month (default: 0.023, assumed)"
    )
    group.add_argument("--currency", default="USD", help="currency of the prices (default: USD)")


def run(args: argparse.Namespace, out: Path) -> int:
    """Measure the sample, and print the estimate."""
    from foleybench.prepare.costs import Assumed, describe_costs

    assumed = Assumed(
        n_clips=args.plan_clips,
        hours=args.plan_hours,
        cores=args.plan_cores,
        core_hour=args.price_core_hour,
        gb_month=args.price_gb_month,
        currency=args.currency,
    )
    lines = describe_costs(args.recipe, args, out, n_sample=max(1, args.plan_sample), assumed=assumed, limit=args.limit)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return EXIT_OK
