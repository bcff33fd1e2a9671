"""AudioSet: two million ten-second clips with ontology labels.

Clips come from Google's lists, and from your files or yt-dlp. ``--lists`` takes a folder with the files as Google names
them (``eval_segments.csv`` ...), the list of one split, or ``official``. A clip has several classes: the manifest's
``label`` is the first of them (of those asked for with ``--classes`` or ``--subtree``, when they are), its facts hold
all.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foleybench.api.dataset import Dataset, Item
from foleybench.datasets._parts import listed
from foleybench.errors import FoleyError
from foleybench.lists import ListRow
from foleybench.lists.official import located
from foleybench.lists.ontology import Ontology, read_ontology

OFFICIAL = "http://storage.googleapis.com/us_audioset/youtube_corpus/v1/csv/"
OFFICIAL_ONTOLOGY = "https://raw.githubusercontent.com/audioset/ontology/master/ontology.json"
SPLITS = ("balanced_train", "unbalanced_train", "eval")
_NAMES = ("ontology.json", "class_labels_indices.csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``foleybench prepare audioset``."""
    parser.add_argument(
        "--lists",
        required=True,
        metavar="WHERE",
        help=f"folder of <split>_segments.csv, the list of one split, or `official` ({OFFICIAL})",
    )
    parser.add_argument(
        "--splits", nargs="+", choices=SPLITS, default=["eval"], help="splits to prepare (default: eval)"
    )
    parser.add_argument(
        "--ontology",
        metavar="FILE",
        help="ontology.json or class_labels_indices.csv, or `official` (default: the one beside the lists)",
    )
    parser.add_argument(
        "--subtree", nargs="+", default=[], metavar="NAME", help="only clips of these classes and of all below them"
    )
    listed.add_arguments(parser)


def items(options: argparse.Namespace) -> Sequence[Item]:
    """List the wanted clips, split by split, in the lists' order.

    Raises:
        FoleyError: A list or the ontology cannot be read, or a class does not exist.
    """
    ontology = _ontology(options)
    wanted = _wanted(options, ontology)
    facts: dict[tuple[str, ...], dict[str, Any]] = {}

    def label(row: ListRow) -> tuple[str, dict[str, Any]] | None:
        hits = [one for one in row.labels if wanted is None or one in wanted]
        if not hits and wanted is not None:
            return None
        shared = facts.setdefault(row.labels, {"labels": [ontology.name(one) for one in row.labels]})
        return (ontology.name(hits[0]) if hits else "", shared)

    return listed.list_items(
        options,
        [
            listed.Asked(
                path=path,
                default_split=split,
                splits=[split],
                label=label,
                check=functools.partial(_tell_other_labels, path),
            )
            for split in options.splits
            for path in [_list_of(options, split)]
        ],
    )


def _tell_other_labels(path: Path, rows: Sequence[ListRow]) -> None:
    """Remark on a list without AudioSet's labels: it may be one of VGGSound, or captions of clips of AudioSet."""
    if listed.has_ontology_ids(rows) is False:
        label = next(row.labels[0] for row in rows if row.labels)
        sys.stderr.write(
            f"{path}: its labels are no classes of AudioSet (the first is {label!r}). A list of VGGSound is prepared "
            "with `foleybench prepare vggsound --list`.\n"
        )


def _list_of(options: argparse.Namespace, split: str) -> Path:
    if options.lists == "official":
        return located(f"{OFFICIAL}{split}_segments.csv")
    where = located(options.lists)
    if where.is_dir():
        return where / f"{split}_segments.csv"
    if len(options.splits) > 1:
        raise FoleyError(f"{where} is one list, and {len(options.splits)} splits are asked for; name their folder.")
    return where


def _ontology(options: argparse.Namespace) -> Ontology:
    if options.ontology:
        return read_ontology(located(OFFICIAL_ONTOLOGY if options.ontology == "official" else options.ontology))
    folder = Path("" if options.lists == "official" else options.lists)
    folder = folder if folder.is_dir() else folder.parent
    beside = next((folder / name for name in _NAMES if (folder / name).is_file()), None)
    return read_ontology(beside) if beside else Ontology({}, {})


def _wanted(options: argparse.Namespace, ontology: Ontology) -> set[str] | None:
    if not options.classes and not options.subtree:
        return None
    if not ontology.names:
        raise FoleyError("classes are chosen by AudioSet's ontology.json; name it with --ontology FILE or `official`.")
    found = {ontology.find(name) for name in options.classes}
    return found.union(*(ontology.below(ontology.find(name)) for name in options.subtree))


def fingerprint(options: argparse.Namespace) -> dict[str, Any]:
    """Return the profile, and which classes are wanted."""
    below = {"subtree": sorted(options.subtree)} if options.subtree else {}
    return {**listed.fingerprint(options), **below}


def split_facts(options: argparse.Namespace, split: str) -> dict[str, Any]:
    """Return the hash of the list of a split."""
    name = split.rpartition("-")[0] if options.part else split
    return {"list": listed.list_facts(_list_of(options, name))}


DATASET = Dataset(
    title="AudioSet",
    version=3,
    licence="annotations CC BY 4.0; the videos stay the property of their uploaders",
    description="Clips of up to ten seconds with labels of an ontology of 527 sound classes.",
    add_arguments=add_arguments,
    items=items,
    make=listed.make,
    known_failure=listed.absence_of,
    fingerprint=fingerprint,
    split_facts=split_facts,
    outlook=listed.outlook,
    time_limit_s=listed.TIME_LIMIT_S,
    citation="J. F. Gemmeke et al., Audio Set: An ontology and human-labeled dataset for audio events, ICASSP 2017.",
)
