"""List a folder's media files, and the clip of each.

A clip's id is the file's name as it stands, made safe (``clip_ids.slug``). Files of equal names in different folders
all get their folders in front; names that are equal after that get a hash of their path at the end. Of files in one
folder whose names differ in the ending only, which are the video and the audio of one clip, the video is taken.
"""

from __future__ import annotations

import dataclasses
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from foleybench.clip_ids import MAX_ID_BYTES, parse_stem, short_hash, slug

VIDEO_ENDINGS = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".flv", ".3gp", ".3g2"),
        *(".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".asf", ".ogv"),
        *(".vob", ".f4v", ".mxf", ".m2v", ".m1v", ".divx", ".qt", ".dv", ".mjpg", ".nut"),
    )
)
SOUND_ENDINGS = frozenset(
    (
        *(".wav", ".flac", ".m4a", ".mp3", ".ogg", ".oga", ".opus", ".aac"),
        *(".aiff", ".aif", ".aifc", ".au", ".w64", ".wma", ".mka", ".weba", ".caf", ".ac3", ".eac3", ".mp2", ".amr"),
    )
)


# Files that the suite itself writes into folders of audio.
_OURS = frozenset({"generation.json"})
_SHOWN = 3


class FolderFiles(NamedTuple):
    """The files in a folder and its subfolders.

    Attributes:
        media: Media files by their ending, as paths in the folder, sorted.
        others: Files with another ending, and media files whose names start with a dot, sorted.
        unreadable: Subfolders that could not be listed, sorted.
    """

    media: list[PurePosixPath]
    others: list[PurePosixPath]
    unreadable: list[PurePosixPath]


def list_files(root: Path) -> FolderFiles:
    """List a folder with its subfolders, also those that are links; folders that start with a dot are left out.

    Args:
        root: The folder.
    """
    found = FolderFiles([], [], [])
    inside = {os.path.realpath(root)}

    def told(error: OSError) -> None:
        found.unreadable.append(PurePosixPath(Path(error.filename).relative_to(root).as_posix()))

    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=told):
        subfolders[:] = [name for name in subfolders if not name.startswith(".") and _new(folder, name, inside)]
        for name in files:
            path = PurePosixPath(Path(folder, name).relative_to(root).as_posix())
            known, hidden = path.suffix.lower() in VIDEO_ENDINGS | SOUND_ENDINGS, name.startswith(".")
            if known and not hidden:
                found.media.append(path)
            elif known or not hidden:
                found.others.append(path)
    return FolderFiles(*(sorted(paths) for paths in found))


def left_out(files: FolderFiles) -> Iterator[str]:
    """Yield a sentence about files that are not media, and about subfolders that cannot be read."""
    for folder in files.unreadable:
        yield f"subfolder {printable(folder)} cannot be read: its files are left out"
    odd = [printable(path) for path in files.others if path.name not in _OURS]
    if odd:
        few = f"{', '.join(odd[:_SHOWN])}{', ...' if len(odd) > _SHOWN else ''}"
        yield f"{len(odd)} files are not audio or video by their names and were left out: {few}"


def _new(folder: str, name: str, inside: set[str]) -> bool:
    """Return whether a subfolder was not seen yet: a link may lead to where the walk has been, or round in a circle."""
    real = os.path.realpath(os.path.join(folder, name))
    if real in inside:
        return False
    inside.add(real)
    return True


def printable(path: PurePosixPath) -> str:
    """Return a path for people: control characters and broken encodings escaped.

    Example:
        >>> printable(PurePosixPath("sub/my dog.mp4"))
        'sub/my dog.mp4'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(path))


def plain_name(folder: Path) -> str:
    """Return a folder's name as results and tables can have it: letters of ASCII, digits, ``_`` and ``-``.

    Example:
        >>> plain_name(Path("out/My outputs (v2)")), plain_name(Path("Звук"))
        ('My-outputs-v2', 'folder')
    """
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", folder.resolve().name).strip("-_")
    return plain or "folder"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClipFile:
    """A file with the clip id, source and start time that its name gives.

    Attributes:
        path: In the folder.
        clip_id: The name as it stands, made safe.
        source_id: The video that it was cut from, where the name follows a known scheme; else the clip itself.
        start_s: Where in that video the clip starts.
        same_as: The other file of this clip that is used in place of this one, or None.
    """

    path: PurePosixPath
    clip_id: str
    source_id: str
    start_s: float
    same_as: PurePosixPath | None = None

    @property
    def mapped(self) -> bool:
        """Whether the id is not the name of the file."""
        return self.clip_id != unicodedata.normalize("NFC", self.path.stem)


def clip_files(paths: Sequence[PurePosixPath]) -> list[ClipFile]:
    """Return the clip id, source and start time that each file name gives, in the order of the paths.

    Example:
        >>> files = clip_files([PurePosixPath(p) for p in ("-1pRmoJIGQc_10000_20000.mp4", "my dog.wav")])
        >>> [(file.clip_id, file.source_id, file.start_s) for file in files]
        [('-1pRmoJIGQc_10000_20000', '-1pRmoJIGQc', 10.0), ('my-dog', 'my-dog', 0.0)]
    """
    taken = {path: path for path in paths}
    by_name: dict[PurePosixPath, list[PurePosixPath]] = {}
    for path in paths:
        by_name.setdefault(path.with_suffix(""), []).append(path)
    for alike in by_name.values():
        first = min(alike, key=lambda path: (path.suffix.lower() not in VIDEO_ENDINGS, path))
        taken.update(dict.fromkeys(alike, first))
    ids = _ids(sorted({*taken.values()}))
    return [_clip_file(path, taken[path], ids[taken[path]]) for path in paths]


def _clip_file(path: PurePosixPath, taken: PurePosixPath, clip_id: str) -> ClipFile:
    name = parse_stem(unicodedata.normalize("NFC", taken.stem))
    return ClipFile(
        path=path,
        clip_id=clip_id,
        source_id=name.source_id if name.known else clip_id,
        start_s=name.start_s,
        same_as=None if taken == path else taken,
    )


def _ids(paths: Sequence[PurePosixPath]) -> dict[PurePosixPath, str]:
    ids = {path: slug(path.stem) for path in paths}
    for rename in (_with_folders, _with_hash):
        how_often = Counter(ids.values())
        ids = {path: clip_id if how_often[clip_id] == 1 else rename(path) for path, clip_id in ids.items()}
    return ids


def _with_folders(path: PurePosixPath) -> str:
    return slug("-".join([*path.parts[:-1], path.stem]))


def _with_hash(path: PurePosixPath) -> str:
    start = _with_folders(path).encode()[: MAX_ID_BYTES - 20].decode(errors="ignore")
    return f"{start}-{short_hash(str(path))}"
