"""``foleybench show``: describe a manifest, result, metric or protocol."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from foleybench import registry
from foleybench.errors import EXIT_OK, FoleyError

HELP = "show what was prepared (counts, reasons, flags, copies), a result file, or the card of a metric or protocol"
EXAMPLE = "foleybench show shards/synthfoley --html"
PAGE = "overview.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument(
        "path",
        type=Path,
        help="a manifest, a folder of manifests, a result file; or `metrics` or `protocols` and a name",
    )
    parser.add_argument("name", nargs="?", help="with `metrics` or `protocols`: whose card to show")
    parser.add_argument("--verify", action="store_true", help="manifests: check every shard member against its hash")
    parser.add_argument(
        "--html",
        type=Path,
        nargs="?",
        const=Path(),
        metavar="FILE",
        help=f"manifests: write a page with thumbnails too (default: {PAGE} beside them)",
    )
    parser.add_argument(
        "--thumbnails", type=int, default=24, metavar="N", help="clips shown on the page per split (default: 24)"
    )
    parser.add_argument("--card", action="store_true", help="folders: write the data set card (README.md) again")


def run(args: argparse.Namespace) -> int:
    """Print the summary; verification problems end with an error."""
    from foleybench.shards.manifest import SUFFIX

    path: Path = args.path
    if args.name is not None:
        sys.stdout.write(_card(str(path), args.name))
    elif path.is_dir():
        manifests = sorted(path.glob(f"*{SUFFIX}"))
        if not manifests:
            raise FoleyError(f"{path} holds no *{SUFFIX}; name a manifest or a result file.")
        _show_manifests(path, manifests, args)
    elif path.name.endswith(SUFFIX):
        _show_manifests(path.parent, [path], args)
    elif not path.exists():
        raise FoleyError(_nothing_there(path))
    else:
        _show_result(path)
    return EXIT_OK


def _nothing_there(path: Path) -> str:
    """Return the message for a path without a file: perhaps the name of a card was meant."""
    kinds = [kind for kind in ("metrics", "protocols") if str(path) in registry.names(kind)]
    if kinds:
        return f"there is no file at {path}. For the card: `foleybench show {kinds[0]} {path}`."
    return (
        f"there is nothing at {path}. Name a manifest, a folder of manifests or a result file; or a card, as in "
        "`foleybench show metrics onset_agreement`."
    )


def _card(kind: str, name: str) -> str:
    """Return the card of a metric or a protocol as text.

    Raises:
        FoleyError: There are no cards of that kind, or no such name.
    """
    from foleybench.scoring import cards

    if kind not in cards.KINDS:
        raise FoleyError(f"{kind!r} has no cards; write one of {', '.join(cards.KINDS)} before the name.")
    return cards.KINDS[kind](name)


def _show_manifests(folder: Path, manifests: Sequence[Path], args: argparse.Namespace) -> None:
    from foleybench.dataset_card import words
    from foleybench.dataset_card.counts import read_overview
    from foleybench.files import require_writable
    from foleybench.prepare.duplicate_flags import count_unread, read_between

    page = None if args.html is None else args.html if args.html.name else folder / PAGE
    if page:
        require_writable(page.parent, "--html")
    if args.card:
        require_writable(folder, "--card")
    overviews = [read_overview(path) for path in manifests]
    between = read_between(folder) if len(manifests) > 1 else None
    for overview in overviews:
        sys.stdout.write("\n".join(words.summary_lines(overview)) + "\n")
    sys.stdout.writelines(f"{line}\n" for line in words.between(between, count_unread(folder)))
    if args.verify:
        _verify(manifests)
    if page:
        from foleybench.dataset_card.page import render_card, write_page

        write_page(page, render_card(overviews, between, n_thumbnails=max(0, args.thumbnails)))
        sys.stdout.write(f"{page}\n")
    if args.card:
        from foleybench.dataset_card.card import write_card

        card = write_card(folder, overviews, overviews[0].header.dataset)
        if card is None:
            raise FoleyError(f"{folder / 'README.md'} was not written by foleybench and stays. Move it away first.")
        sys.stdout.write(f"{card}\n")


def _verify(manifests: Sequence[Path]) -> None:
    from foleybench.shards.dataset import ShardDataset

    for manifest in manifests:
        problems = ShardDataset(manifest).verify()
        if problems:
            raise FoleyError("shards do not agree with the manifest: " + "; ".join(problems))
        sys.stdout.write("  every member agrees with its recorded hash\n")


def _show_result(path: Path) -> None:
    from foleybench.artefacts import result
    from foleybench.commands._result_text import controls_beside, tell

    tell(result.read_result(path), sys.stdout, controls_beside(path))
