"""``foleybench demo``: from nothing to a leaderboard at size tiny."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "run the main job end to end on SynthFoley: prepare, train, generate, eval, leaderboard, report"
EXAMPLE = "foleybench demo --out out/demo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="work folder (default: out/demo)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="seed of every random choice (default: 0)")
    parser.add_argument("--steps", type=int, help="training steps of the main stage (default: a sixth of the size's)")
    parser.add_argument("--limit", type=int, help="score only the first clips (for a quick look; never ranked)")
    parser.add_argument("--dry-run", action="store_true", help="print the commands, and run none")


def run(args: argparse.Namespace) -> int:
    """Run every step that has not been done yet."""
    from foleybench.files import require_writable
    from foleybench.reproduce.demo import run_demo

    require_writable(args.out, "--out")
    return run_demo(args.out, jobs=args.jobs, seed=args.seed, steps=args.steps, limit=args.limit, dry_run=args.dry_run)
