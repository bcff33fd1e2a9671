"""Make options, items and samples of lists of video ids."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from foleybench.api.dataset import Item, Profile, Sample, add_profile_arguments, asked_profile
from foleybench.clip_ids import segment_id, short_hash
from foleybench.errors import FoleyError
from foleybench.lists import BadRow, ListRow, read_list, subsets
from foleybench.lists.official import located
from foleybench.lists.overlap import OtherList, overlap, parse_other
from foleybench.prepare.obtain import source
from foleybench.prepare.obtain.local import Key, LocalFile, LocalFiles
from foleybench.prepare.obtain.settings import add_fetch_arguments, net_of

_SHOWN_BAD_ROWS = 20
WATCH = "https://www.youtube.com/watch?v="


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every list has."""
    add_profile_arguments(parser)
    parser.add_argument(
        "--subset", metavar="NAME", help=f"only a named test subset: {', '.join(subsets.subset_names())}"
    )
    parser.add_argument("--ids", type=Path, metavar="FILE", help="only the clips that this file names")
    parser.add_argument("--classes", nargs="+", default=(), metavar="NAME", help="only clips of these classes")
    parser.add_argument(
        "--part", type=_part, metavar="K/N", help="only the K-th of N equal parts of each split (for several machines)"
    )
    parser.add_argument(
        "--overlap",
        action="append",
        default=[],
        metavar="NAME=LIST",
        help="write into the manifest which clips another list has too, as the same segment or the same video",
    )
    parser.add_argument(
        "--from", dest="folders", type=Path, action="append", default=[], metavar="DIR", help="clips you already have"
    )
    add_fetch_arguments(parser)


def _part(text: str) -> tuple[int, int]:
    first, _, second = text.partition("/")
    if not (first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second) <= 9999):
        raise argparse.ArgumentTypeError(f"{text!r}: write K/N, for example 3/16")
    return int(first), int(second)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """One list and the wanted part of it.

    Attributes:
        path: The list.
        default_split: The split of rows that do not say theirs.
        splits: The wanted splits.
        label: Returns the label and further facts of a row, or None when its classes are not wanted.
        clip_s: Length of a clip when the list does not say where it ends.
        known_splits: Splits that a row may name; any other is a bad row. Empty: a row's split is ignored.
        check: Is given the rows, and refuses or remarks on a list of another data set.
    """

    path: Path
    default_split: str
    splits: Sequence[str]
    label: Callable[[ListRow], tuple[str, dict[str, Any]] | None]
    clip_s: float = 10.0
    known_splits: Sequence[str] = ()
    check: Callable[[Sequence[ListRow]], None] | None = None


def list_items(options: argparse.Namespace, lists: Sequence[Asked]) -> list[Item]:
    """List the clips of some lists; bad rows become items that are refused by name.

    Raises:
        FoleyError: A list cannot be read, or nothing says where the clips come from.
    """
    net = net_of(options)
    if not options.folders and net is None:
        raise FoleyError("say where the clips come from: --from DIR (clips you have), --fetch (yt-dlp), or both.")
    others = [parse_other(text) for text in options.overlap]
    chosen = chosen_subset(options)
    files = LocalFiles(options.folders)
    items: list[Item] = []
    used: list[LocalFile] = []
    for asked in lists:
        rows, bad = _read(asked)
        if asked.check:
            asked.check(rows)
        _tell_bad_rows(asked.path, bad)
        local = files.match((row.video_id, row.start_s) for row in rows) if files.n_files else {}
        used += local.values()
        maker = _Maker(options, asked, others, chosen, local, net)
        wanted = [item for row in rows if (item := maker.item(row)) is not None]
        wanted += [] if chosen or options.classes else [maker.refused(row) for row in bad if row.line]
        items += _of_part(wanted, options.part)
    sys.stderr.writelines(f"{line}\n" for line in files.told(used))
    return items


def has_ontology_ids(rows: Sequence[ListRow]) -> bool | None:
    """Return whether the labels of a list are ids of AudioSet's ontology (``/m/068hy``); None when it has no labels."""
    first = [row.labels[0] for row in rows if row.labels]
    return any(label.startswith("/") for label in first) if first else None


def chosen_subset(options: argparse.Namespace) -> subsets.Subset | None:
    """Return the subset that ``--subset`` or ``--ids`` names.

    Raises:
        FoleyError: Both are given, or the file cannot be read.
    """
    if options.subset and options.ids:
        raise FoleyError("--subset and --ids exclude each other: both say which clips are wanted.")
    if options.ids:
        return subsets.read_ids(options.ids)
    return subsets.load_subset(options.subset) if options.subset else None


def _read(asked: Asked) -> tuple[list[ListRow], list[BadRow]]:
    rows: list[ListRow] = []
    bad: list[BadRow] = []
    for row in read_list(asked.path):
        if isinstance(row, BadRow):
            bad.append(row)
        elif row.split and asked.known_splits and row.split not in asked.known_splits:
            reason = f"{row.split[:40]!r} is not a split of this list ({', '.join(asked.known_splits)})"
            bad.append(BadRow(row.line, reason, row.video_id))
        else:
            rows.append(row)
    if not rows:
        first = f" Line {bad[0].line}: {bad[0].reason}." if bad else ""
        raise FoleyError(f"{asked.path} holds no row that can be used.{first}")
    return rows, bad


def _tell_bad_rows(path: Path, bad: Sequence[BadRow]) -> None:
    for row in bad[:_SHOWN_BAD_ROWS]:
        where = f"line {row.line}" if row.line else "as a whole"
        sys.stderr.write(f"{path}, {where}: {row.reason}\n")
    if len(bad) > _SHOWN_BAD_ROWS:
        sys.stderr.write(f"{path}: {len(bad) - _SHOWN_BAD_ROWS} more bad rows; the manifest names them all\n")


class _Maker:
    """Turns rows into items; items share objects of equal content, so that millions of them fit into memory."""

    def __init__(
        self,
        options: argparse.Namespace,
        asked: Asked,
        others: Sequence[OtherList],
        chosen: subsets.Subset | None,
        local: Mapping[Key, LocalFile],
        net: dict[str, Any] | None,
    ) -> None:
        self._asked, self._others, self._chosen, self._local = asked, others, chosen, local
        self._net_access: dict[str, Any] = {} if net is None else {"net": net}
        self._part = options.part
        self._profile = asked_profile(options)
        self._specs: dict[tuple[float, float], dict[str, Any]] = {}
        self._profiles: dict[float, dict[str, Any]] = {}
        self._facts: dict[str, dict[str, Any]] = {}
        self._owners: dict[str, int] = {}

    def item(self, row: ListRow) -> Item | None:
        """Return the item of a row, or None when the row is not wanted."""
        split = row.split if row.split and self._asked.known_splits else self._asked.default_split
        end_s = row.start_s + self._asked.clip_s if row.end_s is None else row.end_s
        clip_id = segment_id(row.video_id, row.start_s, end_s)
        labelled = self._asked.label(row)
        unwanted = split not in self._asked.splits or (self._chosen and not self._chosen.has(clip_id, row.video_id))
        if unwanted or labelled is None:
            return None
        label, facts = labelled
        shared = overlap(row, self._others)
        if shared:
            facts = {**facts, "overlap": shared}
            facts = self._facts.setdefault(repr(facts), facts)
        owner = self._owners.setdefault(clip_id, row.line)
        return Item(
            clip_id=clip_id,
            source=WATCH + row.video_id,
            source_id=row.video_id,
            label=label,
            split=self._split(split),
            spec=self._spec(row.start_s, round(end_s - row.start_s, 3)),
            refused=None if owner == row.line else ("duplicate_id", f"the same clip as line {owner} of the list"),
            facts=facts,
            access=self._access(row),
        )

    def refused(self, row: BadRow) -> Item:
        """Return the item that stands for a bad row in the manifest."""
        name = f"bad-row-{row.line:07d}-{short_hash(row.shown)}_000000"
        split = self._asked.splits[0]
        return Item(
            clip_id=name,
            source=f"line {row.line}: {row.shown}",
            source_id=name,
            label="",
            split=self._split(split),
            spec={},
            refused=("bad_row", f"line {row.line}: {row.reason}"),
        )

    def _split(self, split: str) -> str:
        return f"{split}-{self._part[0]:04d}of{self._part[1]:04d}" if self._part else split

    def _spec(self, start_s: float, length_s: float) -> dict[str, Any]:
        if length_s not in self._profiles:
            self._profiles[length_s] = dataclasses.replace(self._profile, clip_s=length_s).as_json()
        key = (start_s, length_s)
        if key not in self._specs:
            self._specs[key] = {"start_s": start_s, "profile": self._profiles[length_s]}
        return self._specs[key]

    def _access(self, row: ListRow) -> dict[str, Any]:
        found = self._local.get((row.video_id, round(row.start_s * 1000)))
        return {"path": found.path, "cut_s": found.cut_s} if found else self._net_access


def _of_part(items: list[Item], part: tuple[int, int] | None) -> list[Item]:
    """Keep one of N parts of each split, in order: parts differ by at most one clip, and together make the split."""
    if part is None:
        return items
    by_split: dict[str, list[Item]] = {}
    for item in items:
        by_split.setdefault(item.split, []).append(item)
    k, n = part
    return [item for of in by_split.values() for item in of[(k - 1) * len(of) // n : k * len(of) // n]]


def make(item: Item) -> Sample:
    """Get the clip's media and bring it to the profile."""
    from foleybench.prepare.normalise.normalise import normalise
    from foleybench.prepare.obtain import obtained

    start_s = item.spec["start_s"]
    with obtained(item.source_id, start_s, item.access) as source:
        sample = normalise(source.path, Profile(**item.spec["profile"]), asked_start_s=start_s, cut_s=source.cut_s)
    return dataclasses.replace(sample, facts={**sample.facts, "obtained": source.facts})


def absence_of(item: Item) -> tuple[str, str] | None:
    """Return the status and reason of a clip whose media are not here and are not to be fetched."""
    return source.absence(item.access)


def fingerprint(options: argparse.Namespace) -> dict[str, Any]:
    """Return the profile, and which clips of the list are wanted."""
    chosen = chosen_subset(options)
    return {
        **asked_profile(options).as_json(),
        **({"subset": chosen.facts()} if chosen else {}),
        **({"classes": sorted(options.classes)} if options.classes else {}),
    }


def list_facts(path: Path) -> dict[str, str]:
    """Return the manifest's facts on a list: its name and hash."""
    with path.open("rb") as handle:
        return {"file": path.name, "sha256": hashlib.file_digest(handle, "sha256").hexdigest()}


def lists_of(options: argparse.Namespace, where: str, official: str) -> Path:
    """Return the path of a list given as a path, an address, or ``official``."""
    return located(official if where == "official" else where)


def rows_of(path: Path) -> Iterator[ListRow]:
    """Yield the usable rows of a list."""
    return (row for row in read_list(path) if isinstance(row, ListRow))


# Fetching whole videos takes longer than reading files.
TIME_LIMIT_S = 600.0
# Only for the estimate before a run. Shards: the mean over real clips at the default profile.
_SHARD_BYTES = 0.6e6
_VIDEO_BYTES = 15e6


def outlook(options: argparse.Namespace, items: Sequence[Item]) -> list[str]:
    """Return lines on the items left: how many files are here, how many to fetch, and the least time for that."""
    n_here = sum("path" in item.access for item in items)
    n_fetch = sum("net" in item.access for item in items)
    n_nowhere = len(items) - n_here - n_fetch
    lines = [f"{n_here} of them are here under --from, {n_fetch} to fetch, {n_nowhere} neither (status not_here)"]
    if n_fetch:
        net = next(item.access["net"] for item in items if "net" in item.access)
        # The pacer waits between one and two pauses before each.
        hours = n_fetch * 1.5 * net["pause_s"] / 3600
        whence = net["template"] or "YouTube"
        lines.append(
            f"from {whence}: about {n_fetch * _VIDEO_BYTES / 1e9:.1f} GB (taking {_VIDEO_BYTES / 1e6:.0f} MB a video), "
            f"{hours:.1f} hours of pauses at {net['pause_s']:g} to {2 * net['pause_s']:g} s before each"
        )
    n_bytes = (n_here + n_fetch) * _SHARD_BYTES
    size = f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"
    lines.append(f"shards of about {size} (taking {_SHARD_BYTES / 1e6:g} MB a clip; --plan measures some)")
    return lines
