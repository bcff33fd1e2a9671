"""Any folder of videos: one manifest line per media file found, each cut from its start and normalised to a profile.

How files get their ids:

1. ``--names`` gives an id (and a label) to a path; such an id is used as it is.
2. A name that follows a known scheme (``<11 characters>_000030``, ``_30000_40000``, ``_30.000``) names its clip.
3. Any other name becomes its slug and start 0. When two slugs are equal, all files concerned get their parent folders
   in front; names that are still equal after that get a hash of their path at the end.

Two files that rules 1 and 2 give the same id are the same clip: the first in path order is used and the others end as
``duplicate_id``. A sound file is listed with its ending in its id, and ends as ``no_video``.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from foleybench.api.dataset import PROFILES, Dataset, Item, Profile, Sample
from foleybench.clip_ids import VALID, ClipName, parse_stem, short_hash, slug
from foleybench.errors import FoleyError
from foleybench.prepare.obtain.local import VIDEO_ENDINGS

SOUND_ENDINGS = frozenset((".wav", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".aac"))
_SOURCE_CHARS = 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Found:
    """One file asked for: its path in the folder, its id, and what is known about it."""

    path: PurePosixPath
    name: ClipName
    label: str
    fixed: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``foleybench prepare folder``."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of media files, searched with its subfolders")
    parser.add_argument(
        "--profile", choices=sorted(PROFILES), default="default", help="how clips are normalised (default: default)"
    )
    parser.add_argument("--clip-seconds", type=float, metavar="S", help="length of a clip (default: the profile's, 10)")
    parser.add_argument("--split", default="test", metavar="NAME", help="name of the split (default: test)")
    parser.add_argument(
        "--dataset-name",
        type=_dataset_name,
        metavar="NAME",
        help="name in results and tables (default: folder)",
    )
    parser.add_argument(
        "--names", type=Path, metavar="CSV", help="table with the columns path, clip_id and, if wanted, label"
    )


def _dataset_name(text: str) -> str:
    """Accept names that are safe as a folder of result files."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", text):
        raise argparse.ArgumentTypeError(f"{text!r}: up to 64 of a-z, 0-9, _ and -, with a letter or digit in front")
    return text


def profile_of(options: argparse.Namespace) -> Profile:
    """Return the profile that the options ask for.

    Raises:
        FoleyError: The clip length is not a positive number of seconds up to an hour.
    """
    profile = PROFILES[options.profile]
    if options.clip_seconds is None:
        return profile
    if not 0.0 < options.clip_seconds <= 3600.0:
        raise FoleyError(f"--clip-seconds {options.clip_seconds:g} is not between 0 and 3600.")
    return dataclasses.replace(profile, clip_s=options.clip_seconds)


def items(options: argparse.Namespace) -> Sequence[Item]:
    """List every media file of the folder, in path order.

    Raises:
        FoleyError: The folder or the table of names is not usable.
    """
    root: Path = options.folder
    if not root.is_dir():
        raise FoleyError(f"{root} is not a folder. Name a folder of media files.")
    names = _read_names(options.names) if options.names else {}
    paths = sorted({*_media_paths(root), *map(PurePosixPath, names)})
    found = _distinct([_identify(path, names) for path in paths])
    profile = dataclasses.asdict(profile_of(options))
    owners: dict[str, PurePosixPath] = {}
    listed = []
    for one in found:
        owner = owners.setdefault(one.name.clip_id, one.path)
        listed.append(_item(root, one, options.split, profile, owner))
    return listed


def make(item: Item) -> Sample:
    """Decode one file to the profile; see ``foleybench.prepare.normalise.normalise``."""
    from foleybench.prepare.normalise.normalise import normalise

    spec = item.spec
    return normalise(Path(spec["path"]), Profile(**spec["profile"]), asked_start_s=spec["start_s"])


def fingerprint(options: argparse.Namespace) -> dict[str, Any]:
    """Return the profile's fields."""
    return dataclasses.asdict(profile_of(options))


def _media_paths(root: Path) -> Iterator[PurePosixPath]:
    """Find files by their ending; names that start with a dot (and folders of such names) are left out."""
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in files:
            ending = os.path.splitext(name)[1].lower()
            if not name.startswith(".") and ending in VIDEO_ENDINGS | SOUND_ENDINGS:
                yield PurePosixPath(Path(folder, name).relative_to(root).as_posix())


def _identify(path: PurePosixPath, names: dict[str, tuple[str, str]]) -> _Found:
    if str(path) in names:
        clip_id, label = names[str(path)]
        source_id, _, start = clip_id.rpartition("_")
        return _Found(path=path, name=ClipName(source_id, float(start), known=True), label=label, fixed=True)
    if path.suffix.lower() in SOUND_ENDINGS:
        return _Found(path=path, name=ClipName(slug(path.name), 0.0, known=False), label="", fixed=False)
    name = parse_stem(path.stem)
    return _Found(path=path, name=name, label="", fixed=name.known)


def _distinct(found: list[_Found]) -> list[_Found]:
    """Give different ids to files whose slugs are equal: parent folders in front, then a hash at the end."""
    taken = Counter(one.name.clip_id for one in found)
    wider = [one if one.fixed or taken[one.name.clip_id] == 1 else _renamed(one, _with_parents(one)) for one in found]
    taken = Counter(one.name.clip_id for one in wider)
    return [one if one.fixed or taken[one.name.clip_id] == 1 else _renamed(one, _with_hash(one)) for one in wider]


def _with_parents(one: _Found) -> str:
    keep_ending = one.path.suffix.lower() in SOUND_ENDINGS
    return slug("-".join([*one.path.parts[:-1], one.path.name if keep_ending else one.path.stem]))


def _with_hash(one: _Found) -> str:
    return f"{one.name.source_id[:70]}-{short_hash(str(one.path))}"


def _renamed(one: _Found, source_id: str) -> _Found:
    return dataclasses.replace(one, name=ClipName(source_id, 0.0, known=False))


def _item(root: Path, one: _Found, split: str, profile: dict[str, Any], owner: PurePosixPath) -> Item:
    path = Path(root, one.path).absolute()
    refused = _not_a_file(path)
    if owner != one.path:
        refused = ("duplicate_id", f"the same clip as {_printable(owner)}")
    size, changed_ns = (0, 0) if refused else (path.stat().st_size, path.stat().st_mtime_ns)
    return Item(
        clip_id=one.name.clip_id,
        source=_printable(one.path),
        source_id=one.name.source_id,
        label=one.label,
        split=split,
        # Size and time of change are there so that a file that changed is noticed when a run goes on.
        spec={
            "path": str(path),
            "profile": profile,
            "start_s": one.name.start_s,
            "n_bytes": size,
            "changed_ns": changed_ns,
        },
        refused=refused,
    )


def _not_a_file(path: Path) -> tuple[str, str] | None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return ("missing", f"the file cannot be found: {error.strerror}")
    return None if stat.S_ISREG(mode) else ("not_a_file", "a pipe, device or socket, not a regular file")


def _printable(path: PurePosixPath) -> str:
    """Return a path for people: control characters and broken encodings escaped, over-long ones cut."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(path))
    return shown if len(shown) <= _SOURCE_CHARS else f"{shown[: _SOURCE_CHARS - 3]}..."


def _read_names(table: Path) -> dict[str, tuple[str, str]]:
    """Read ``path,clip_id[,label]``.

    Raises:
        FoleyError: The table is missing, lacks a column, or has a line that cannot be used.
    """
    if not table.is_file():
        raise FoleyError(f"no table of names at {table}.")
    with table.open(encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle)
        if not {"path", "clip_id"} <= set(rows.fieldnames or ()):
            raise FoleyError(f"{table} needs a first line with the columns path and clip_id; it has {rows.fieldnames}.")
        return dict(_name_row(table, rows.line_num, row) for row in rows)


def _name_row(table: Path, line: int, row: dict[str, str]) -> tuple[str, tuple[str, str]]:
    path, clip_id = PurePosixPath(row["path"] or ""), row["clip_id"] or ""
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise FoleyError(f"{table}, line {line}: path {str(path)!r} must be inside the folder.")
    if not VALID.fullmatch(clip_id):
        raise FoleyError(f"{table}, line {line}: {clip_id!r} is no clip id; write <video id>_<start as six digits>.")
    return str(path), (clip_id, row.get("label") or "")


DATASET = Dataset(
    title="Folder of videos",
    version=4,
    licence="that of the files",
    description="Every media file of a folder, cut from its start and normalised.",
    add_arguments=add_arguments,
    items=items,
    make=make,
    fingerprint=fingerprint,
)
