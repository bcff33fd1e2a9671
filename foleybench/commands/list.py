"""``foleybench list``: the names of metrics, models, data sets, protocols, encoders."""

from __future__ import annotations

import argparse
import re
import sys

from foleybench import registry
from foleybench.errors import EXIT_OK

HELP = "list the metrics, models, data sets, protocols and encoders"
EXAMPLE = "foleybench list metrics"
_KINDS = tuple(kind for kind in registry.KINDS if kind != "commands")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("kind", nargs="?", choices=_KINDS, help="one kind only")
    parser.add_argument("--long", action="store_true", help="title and description in full (imports every file)")
    parser.add_argument("--names", action="store_true", help="the names alone, for scripts")


def run(args: argparse.Namespace) -> int:
    """Print a line for each name: the first line of its file; with ``--long`` its title and description."""
    lines = {}
    for kind in [args.kind] if args.kind else _KINDS:
        for name in registry.names(kind):
            words = f"{kind}/{name}" if args.kind is None else name
            lines[words] = "" if args.names else _describe(kind, name) if args.long else _summary(kind, name)
    width = max(map(len, lines))
    sys.stdout.writelines(f"{words:{width}}  {what}".rstrip() + "\n" for words, what in lines.items())
    return EXIT_OK


def _summary(kind: str, name: str) -> str:
    """Return the first line of a file's docstring, without a leading name."""
    line = registry.summary(kind, name)
    return re.sub(r"^[A-Z][a-z ]+ ``[^`]*``: ", "", line)


def _describe(kind: str, name: str) -> str:
    entry = registry.load(kind, name)
    title = getattr(entry, "title", name)
    more = getattr(entry, "description", "") or getattr(entry, "source", "")
    return f"{title}. {more}"
