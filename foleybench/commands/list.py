"""``foleybench list``: the names of metrics, models, data sets, protocols, encoders."""

from __future__ import annotations

import argparse
import sys

from foleybench import registry
from foleybench.errors import EXIT_OK

HELP = "list the metrics, models, data sets, protocols and encoders"
EXAMPLE = "foleybench list metrics"
_KINDS = tuple(kind for kind in registry.KINDS if kind != "commands")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("kind", nargs="?", choices=_KINDS, help="one kind only")
    parser.add_argument("--long", action="store_true", help="with title and description (imports every file)")


def run(args: argparse.Namespace) -> int:
    """Print a line a name; with ``--long`` also what the file says of itself."""
    for kind in [args.kind] if args.kind else _KINDS:
        for name in registry.names(kind):
            words = f"{kind}/{name}" if args.kind is None else name
            sys.stdout.write(f"{words:32}{_describe(kind, name)}\n" if args.long else f"{words}\n")
    return EXIT_OK


def _describe(kind: str, name: str) -> str:
    entry = registry.load(kind, name)
    title = getattr(entry, "title", name)
    more = getattr(entry, "description", "") or getattr(entry, "source", "")
    return f"{title}. {more}"
