"""A folder of your own videos or audio files.

One manifest line a media file found, cut from its start, normalised to a profile.

How files get their ids: ``--names`` gives one (and a label, a caption) to a path, which is used as it is; any other
file is called by its own name, made safe (``media.folder``). A name that follows a known scheme also says from which
video the clip was cut, and where. Two files that ``--names`` gives one id are the same clip, as are files of one folder
whose names differ in the ending only: the first of them in path order, a video before an audio file, is used and the
others end as ``duplicate_id``. A file of audio alone becomes a clip without video.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import re
import stat
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from foleybench.api.dataset import Dataset, Item, Profile, Sample, add_profile_arguments, asked_profile
from foleybench.clip_ids import MAX_ID_BYTES, is_safe, parse_stem, slug
from foleybench.errors import FoleyError
from foleybench.media.folder import SOUND_ENDINGS, ClipFile, clip_files, left_out, list_files, plain_name, printable

_SOURCE_CHARS = 200
_NAME_CHARS = 64


@dataclasses.dataclass(frozen=True)
class _Named:
    """The id, label and caption of a path in the table of names."""

    clip_id: str
    label: str = ""
    caption: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``foleybench prepare folder``."""
    parser.add_argument(
        "folder",
        action=_Folder,
        type=Path,
        metavar="DIR",
        help="folder of videos, audio files or both, with its subfolders",
    )
    add_profile_arguments(parser)
    parser.add_argument("--clip-seconds", type=float, metavar="S", help="length of a clip (default: the profile's, 10)")
    parser.add_argument("--split", default="test", metavar="NAME", help="name of the split (default: test)")
    parser.add_argument(
        "--dataset-name",
        type=_dataset_name,
        metavar="NAME",
        help="name in results and tables (default: the folder's)",
    )
    parser.add_argument(
        "--names",
        type=Path,
        metavar="CSV",
        help="table with the columns path, clip_id and, if wanted, label and caption",
    )


class _Folder(argparse.Action):
    """Keeps the folder, and takes the data set's name from it when nobody gives one."""

    def __call__(
        self, parser: object, namespace: argparse.Namespace, values: Any, option_string: object = None
    ) -> None:
        """Keep the folder."""
        namespace.folder = values
        if getattr(namespace, "dataset_name", None) is None:
            namespace.dataset_name = plain_name(values).lower()[:_NAME_CHARS]


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
    profile = asked_profile(options)
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
    found = list_files(root)
    sys.stderr.writelines(f"{root}: {line}\n" for line in left_out(found))
    files = [_called(file, names.get(file.path)) for file in clip_files(sorted({*found.media, *names}))]
    profile = profile_of(options).as_json()
    owners: dict[str, PurePosixPath] = {}
    listed = []
    for file in files:
        owner = file.same_as or owners.setdefault(file.clip_id, file.path)
        listed.append(_item(root, file, names.get(file.path), options.split, profile, owner))
    return listed


def make(item: Item) -> Sample:
    """Decode one file to the profile; see ``foleybench.prepare.normalise``."""
    from foleybench.prepare.normalise.audio_only import normalise_audio
    from foleybench.prepare.normalise.normalise import normalise

    spec = item.spec
    if spec["sound_only"]:
        return normalise_audio(Path(spec["path"]), Profile(**spec["profile"]), asked_start_s=spec["start_s"])
    return normalise(Path(spec["path"]), Profile(**spec["profile"]), asked_start_s=spec["start_s"])


def fingerprint(options: argparse.Namespace) -> dict[str, Any]:
    """Return the profile's fields."""
    return profile_of(options).as_json()


def _called(file: ClipFile, named: _Named | None) -> ClipFile:
    """Return a file under the name that the table gives it."""
    if named is None:
        return file
    name = parse_stem(named.clip_id)
    source_id = name.source_id if name.known else _source_of(named.clip_id)
    return dataclasses.replace(
        file, clip_id=named.clip_id, source_id=source_id, start_s=name.start_s or _start_of(named.clip_id), same_as=None
    )


def _source_of(clip_id: str) -> str:
    """Return the source video of an id from the table: ``<video>_<start as six digits>``, else the clip itself."""
    source_id, _, start = clip_id.rpartition("_")
    return source_id if source_id and re.fullmatch(r"[0-9]{6}", start) else clip_id


def _start_of(clip_id: str) -> float:
    return 0.0 if _source_of(clip_id) == clip_id else float(clip_id.rpartition("_")[2])


def _item(
    root: Path, file: ClipFile, named: _Named | None, split: str, profile: dict[str, Any], owner: PurePosixPath
) -> Item:
    path = Path(root, file.path).absolute()
    refused = _not_a_file(path)
    if owner != file.path:
        refused = ("duplicate_id", f"the same clip as {_shown(owner)}")
    size, changed_ns = (0, 0) if refused else (path.stat().st_size, path.stat().st_mtime_ns)
    return Item(
        clip_id=file.clip_id,
        source=_shown(file.path),
        source_id=file.source_id,
        label=named.label if named else "",
        split=split,
        # Size and time of change reveal a file that changed before a run goes on.
        spec={
            "path": str(path),
            "profile": profile,
            "start_s": file.start_s,
            "n_bytes": size,
            "changed_ns": changed_ns,
            "sound_only": file.path.suffix.lower() in SOUND_ENDINGS,
        },
        refused=refused,
        facts={"caption": named.caption} if named and named.caption else {},
    )


def _not_a_file(path: Path) -> tuple[str, str] | None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return ("missing", f"the file cannot be found: {error.strerror}")
    return None if stat.S_ISREG(mode) else ("not_a_file", "a pipe, device or socket, not a regular file")


def _shown(path: PurePosixPath) -> str:
    """Return a path as text, an over-long one cut."""
    shown = printable(path)
    return shown if len(shown) <= _SOURCE_CHARS else f"{shown[: _SOURCE_CHARS - 3]}..."


def _read_names(table: Path) -> dict[PurePosixPath, _Named]:
    """Read ``path,clip_id[,label][,caption]``.

    Raises:
        FoleyError: The table is missing, lacks a column, or has a line that cannot be used.
    """
    if not table.is_file():
        raise FoleyError(f"no table of names at {table}.")
    named: dict[PurePosixPath, _Named] = {}
    try:
        with table.open(encoding="utf-8-sig", newline="") as handle:
            rows = csv.DictReader(handle)
            if not {"path", "clip_id"} <= set(rows.fieldnames or ()):
                raise FoleyError(
                    f"{table} needs a first line with the columns path and clip_id; it has {rows.fieldnames}."
                )
            for row in rows:
                path, name = _name_row(table, rows.line_num, row)
                if named.setdefault(path, name) != name:
                    raise FoleyError(f"{table}, line {rows.line_num}: path {str(path)!r} has another name before.")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FoleyError(f"{table} is no table in UTF-8 that can be read: {error}.") from error
    return named


def _name_row(table: Path, line: int, row: dict[str, str]) -> tuple[PurePosixPath, _Named]:
    path, clip_id = PurePosixPath(row["path"] or ""), row["clip_id"] or ""
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in str(path):
        raise FoleyError(f"{table}, line {line}: path {str(path)!r} must be inside the folder.")
    if not is_safe(clip_id):
        raise FoleyError(
            f"{table}, line {line}: {clip_id!r} is no clip id: letters, digits, _ and -, at most {MAX_ID_BYTES} bytes; "
            f"{slug(clip_id)!r} would do."
        )
    return path, _Named(clip_id, row.get("label") or "", row.get("caption") or "")


DATASET = Dataset(
    title="Folder of video or audio files",
    version=5,
    licence="that of the files",
    description="Every media file of a folder, under its own name, cut from its start and normalised.",
    add_arguments=add_arguments,
    items=items,
    make=make,
    fingerprint=fingerprint,
)
