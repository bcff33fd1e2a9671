"""Read audio folders: ``<clip_id>.wav`` or ``.flac``, and ``generation.json``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foleybench.artefacts.match import match
from foleybench.errors import FoleyError
from foleybench.files import write_atomically

GENERATION_FILE = "generation.json"
# Audio that lasts less than this share of its clip is ``too_short``: it is scored with silence for the rest, and its
# system is not ranked.
MOSTLY = 0.95


@dataclasses.dataclass(frozen=True)
class ClipProblem:
    """A caveat about one clip's audio.

    Attributes:
        clip_id: The clip.
        kind: ``missing``, ``undecodable``, ``not_finite``, ``short``, ``too_short``, ``long``, ``silent`` ...
        detail: A sentence with the value.
    """

    clip_id: str
    kind: str
    detail: str


def find_files(folder: Path, clips: Mapping[str, str], names: Path | None = None) -> dict[str, Path]:
    """Return clip id -> file for the clips that have one; of several takes the first (see ``artefacts.match``).

    Args:
        folder: Folder of the files.
        clips: Wanted clips: clip id -> the file that the clip was read from, "" when unknown.
        names: CSV with the columns ``path`` (relative to ``folder``) and ``clip_id``, or None to match by name.

    Raises:
        FoleyError: No such folder, a bad name map, or two files for one clip (both are named).
    """
    found = match(folder, clips, names)
    return {clip_id: takes[0] for clip_id, takes in found.files.items()}


def write_generation(folder: Path, record: dict[str, Any]) -> None:
    """Write ``generation.json``."""
    text = json.dumps(record, sort_keys=True, indent=1, allow_nan=False)
    write_atomically(folder / GENERATION_FILE, (text + "\n").encode())


def refused_clips(generation: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the clips that a model made no audio for: clip id -> (kind of problem, reason).

    Example:
        >>> refused_clips({"refused": {"a": ["no_other_clip", "it has no label"]}})
        {'a': ('no_other_clip', 'it has no label')}
    """
    # Folders made by earlier versions have the reason alone, of audio that was not finite.
    refused: Mapping[str, str | tuple[str, str]] = generation.get("refused", {})
    named = {clip_id: ("not_finite", found) if isinstance(found, str) else found for clip_id, found in refused.items()}
    return {clip_id: (kind, reason) for clip_id, (kind, reason) in named.items()}


def read_generation(folder: Path) -> dict[str, Any] | None:
    """Read ``generation.json``, or return None when the folder was made elsewhere.

    Raises:
        FoleyError: The file does not hold a JSON object.
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
