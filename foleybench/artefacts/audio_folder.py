"""The audio folder: generated audio as ``<clip_id>.wav`` or ``.flac``.

Files are matched to clips by exact stem, or by an explicit name map; never by guessing from a name's length.
"""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from foleybench.errors import FoleyError
from foleybench.files import write_atomically

GENERATION_FILE = "generation.json"
_PLAIN = {".wav", ".flac"}
_CONTAINERS = {".m4a", ".mp3", ".ogg", ".opus", ".aac", ".mp4", ".webm", ".mov", ".mkv", ".avi"}


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something about one clip's sound that a reader of the number must know.

    Attributes:
        clip_id: Which clip.
        kind: ``missing``, ``undecodable``, ``not_finite``, ``short``, ``long``, ``silent``, ``bad_features`` ...
        detail: A sentence with the value.
    """

    clip_id: str
    kind: str
    detail: str


def find_files(folder: Path, clip_ids: Iterable[str], names: Path | None = None) -> dict[str, Path]:
    """Return clip id -> file for the clips that have one.

    Args:
        folder: Where the files lie.
        clip_ids: Wanted clips.
        names: CSV with the columns ``path`` (relative to ``folder``) and ``clip_id``, or None to match exact stems.

    Raises:
        FoleyError: No such folder, a bad name map, or two files for one clip (both are named).
    """
    if not folder.is_dir():
        raise FoleyError(f"no folder at {folder}; --audio wants a folder with one sound file per clip.")
    pairs = [(p.stem, p) for p in sorted(folder.iterdir())]
    if names:
        pairs = [(clip_id, folder / path) for path, clip_id in read_names(names)]
    wanted, found = set(clip_ids), dict[str, Path]()
    for clip_id, path in pairs:
        if clip_id not in wanted or path.suffix.lower() not in _PLAIN | _CONTAINERS:
            continue
        if clip_id in found:
            raise FoleyError(f"two files for clip {clip_id!r}: {found[clip_id].name} and {path.name}. Keep one.")
        found[clip_id] = path
    return found


def read_names(names: Path) -> list[tuple[str, str]]:
    """Return the (path, clip id) pairs of a name map.

    Raises:
        FoleyError: It cannot be read, or lacks a column.
    """
    try:
        with names.open(newline="", encoding="utf-8") as handle:
            return [(row["path"], row["clip_id"]) for row in csv.DictReader(handle)]
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise FoleyError(f"name map {names}: {error!r}; it wants a CSV with the columns path,clip_id.") from error


def write_generation(folder: Path, record: dict[str, Any]) -> None:
    """Write ``generation.json``."""
    text = json.dumps(record, sort_keys=True, indent=1, allow_nan=False)
    write_atomically(folder / GENERATION_FILE, (text + "\n").encode())


def read_generation(folder: Path) -> dict[str, Any] | None:
    """Read ``generation.json``, or return None when the folder was made elsewhere.

    Raises:
        FoleyError: The file is there and is not a JSON object.
    """
    path = folder / GENERATION_FILE
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FoleyError(f"{path} is not JSON ({error}); delete it to score the folder without it.") from error
    if not isinstance(record, dict):
        raise FoleyError(f"{path} is not a JSON object; delete it to score the folder without it.")
    return record
