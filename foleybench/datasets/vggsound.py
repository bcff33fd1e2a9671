"""VGGSound: 199,176 ten-second clips in 309 classes.

Clips come from the authors' list, and from your files or yt-dlp. ``--list`` takes the authors' ``vggsound.csv`` (both
splits), their ``data/test.csv``, any of the lists that later work publishes in other layouts, an address, or
``official``.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foleybench.api.dataset import Dataset, Item
from foleybench.datasets._parts import listed
from foleybench.errors import FoleyError, UnknownNameError, unknown
from foleybench.lists import ListRow

OFFICIAL = "https://www.robots.ox.ac.uk/~vgg/data/vggsound/vggsound.csv"
SPLITS = ("train", "test")
CLIP_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``foleybench prepare vggsound``."""
    parser.add_argument(
        "--list", required=True, metavar="LIST", help=f"path or address of the list, or `official` ({OFFICIAL})"
    )
    parser.add_argument(
        "--splits", nargs="+", choices=SPLITS, default=["test"], help="splits to prepare (default: test)"
    )
    parser.add_argument(
        "--list-split", choices=SPLITS, default="test", help="split of a list that does not say it (default: test)"
    )
    listed.add_arguments(parser)


def items(options: argparse.Namespace) -> Sequence[Item]:
    """List the wanted clips in the list's order.

    Raises:
        FoleyError: The list cannot be read, or a class does not exist.
    """
    path = listed.lists_of(options, options.list, OFFICIAL)
    wanted = _classes(options, path) if options.classes else None

    none: dict[str, Any] = {}

    def label(row: ListRow) -> tuple[str, dict[str, Any]] | None:
        name = row.labels[0] if row.labels else ""
        return (name, none) if wanted is None or name.casefold() in wanted else None

    asked = listed.Asked(
        path=path,
        default_split=options.list_split,
        splits=options.splits,
        label=label,
        clip_s=CLIP_S,
        known_splits=SPLITS,
        check=functools.partial(_refuse_audioset, path),
    )
    return listed.list_items(options, [asked])


def _refuse_audioset(path: Path, rows: Sequence[ListRow]) -> None:
    if listed.has_ontology_ids(rows):
        raise FoleyError(
            f"{path} is a list of AudioSet by its labels, not one of VGGSound. "
            f"Prepare it with `foleybench prepare audioset --lists {path}`."
        )


def _classes(options: argparse.Namespace, path: Any) -> set[str]:
    known = {name.casefold(): name for row in listed.rows_of(path) for name in row.labels}
    for name in options.classes:
        if name.casefold() not in known:
            raise UnknownNameError(unknown("class", name, known.values()))
    return {name.casefold() for name in options.classes}


def split_facts(options: argparse.Namespace, split: str) -> dict[str, Any]:
    """Return the hash of the list."""
    return {"list": listed.list_facts(listed.lists_of(options, options.list, OFFICIAL))}


DATASET = Dataset(
    title="VGGSound",
    version=3,
    licence="annotations CC BY 4.0; the videos stay the property of their uploaders",
    description="Clips of ten seconds whose sound source is visible; one class each.",
    add_arguments=add_arguments,
    items=items,
    make=listed.make,
    known_failure=listed.absence_of,
    fingerprint=listed.fingerprint,
    split_facts=split_facts,
    outlook=listed.outlook,
    time_limit_s=listed.TIME_LIMIT_S,
    citation="H. Chen, W. Xie, A. Vedaldi and A. Zisserman, VGGSound: A Large-scale Audio-Visual Dataset, ICASSP 2020.",
)
