"""Find the files of listed clips in a folder.

Known names, with any media ending: ``<id>_000030``, ``<id>_30`` (seconds), ``<id>_30000_40000`` (milliseconds),
``<id>_30.000`` and ``<id>_30.000_40.000``, each also with the ``Y`` that some lists put in front. ``<id>`` alone is a
whole video, which is cut. Some tools drop the ``-`` or ``_`` that an id starts with: such a name is used when exactly
one listed clip fits the rest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from foleybench.errors import FoleyError
from foleybench.lists.read import shown_text
from foleybench.media.folder import VIDEO_ENDINGS as VIDEO_ENDINGS
from foleybench.media.folder import left_out, list_files

_START = (
    r"_(?:(?P<start_ms>[0-9]{1,9})_(?P<end_ms>[0-9]{1,9})"
    r"|(?P<decimal>[0-9]{1,6}\.[0-9]{1,6})(?:_[0-9]{1,6}\.[0-9]{1,6})?"
    r"|(?P<s>[0-9]{1,6}))"
)
_CLIP = re.compile(r"Y?(?P<video>[A-Za-z0-9_-]{11})" + _START)
_EATEN = re.compile(r"(?P<video>[A-Za-z0-9_-]{8,10})" + _START)
_WHOLE = re.compile(r"Y?(?P<video>[A-Za-z0-9_-]{11})")
_LOST = "-_"

Key = tuple[str, int]


class LocalFile(NamedTuple):
    """The file of a clip, and where the clip starts in it."""

    path: str
    cut_s: float


class LocalFiles:
    """Every media file below some folders, by the clip that its name gives.

    Attributes:
        n_files: Media files found.
        unnamed: Of these, files whose names are not understood.
        n_doubled: Of these, files that name the same clip as one before them in path order.
        left_out: Sentences about the other files in the folders.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.n_files = self.n_doubled = 0
        self.unnamed: list[str] = []
        self.left_out: list[str] = []
        self._clips: dict[Key, str] = {}
        self._eaten: dict[Key, str] = {}
        self._whole: dict[str, str] = {}
        for folder in folders:
            if not folder.is_dir():
                raise FoleyError(f"--from {folder} is not a folder.")
            found = list_files(folder.absolute())
            self.left_out += [f"{folder}: {line}" for line in left_out(found)]
            for path in found.media:
                if path.suffix.lower() in VIDEO_ENDINGS:
                    self._add(str(folder.absolute() / path))
                else:
                    self.unnamed.append(str(path))

    def match(self, listed: Iterable[tuple[str, float]]) -> dict[Key, LocalFile]:
        """Return the file of every listed clip (video id, start in seconds) that is here."""
        found: dict[Key, LocalFile] = {}
        shortened: dict[Key, list[Key]] = {}
        for video_id, start_s in listed:
            key = (video_id, round(start_s * 1000))
            if key in self._clips:
                found[key] = LocalFile(self._clips[key], 0.0)
            elif video_id in self._whole:
                found[key] = LocalFile(self._whole[video_id], start_s)
            if video_id[0] in _LOST and self._eaten:
                for short in _shortened(video_id):
                    shortened.setdefault((short, key[1]), []).append(key)
        return self._with_eaten(found, shortened)

    def _with_eaten(self, found: dict[Key, LocalFile], shortened: Mapping[Key, Sequence[Key]]) -> dict[Key, LocalFile]:
        for short, keys in shortened.items():
            # Two listed clips differ only in the dropped characters: the file could be either.
            if len(set(keys)) == 1 and short in self._eaten and keys[0] not in found:
                found[keys[0]] = LocalFile(self._eaten[short], 0.0)
        return found

    def _add(self, path: str) -> None:
        self.n_files += 1
        stem = os.path.splitext(os.path.basename(path))[0]
        if parsed := _CLIP.fullmatch(stem):
            self._keep(self._clips, (parsed["video"], _start_ms(parsed)), path)
        elif parsed := _WHOLE.fullmatch(stem):
            self._keep(self._whole, parsed["video"], path)
        elif parsed := _EATEN.fullmatch(stem):
            self._keep(self._eaten, (parsed["video"], _start_ms(parsed)), path)
        else:
            self.unnamed.append(path)

    def told(self, used: Iterable[LocalFile]) -> list[str]:
        """Return sentences about files in the folders that are not used for the clips asked for."""
        n_unused = len({*self._clips.values(), *self._whole.values(), *self._eaten.values()} - {f.path for f in used})
        lines = list(self.left_out)
        if self.unnamed:
            few = ", ".join(shown_text(os.path.basename(path)) for path in self.unnamed[:3])
            lines.append(f"--from: {len(self.unnamed)} files are audio alone or do not have the name of a clip: {few}")
        if self.n_doubled:
            lines.append(f"--from: {self.n_doubled} files name a clip that another file names before them")
        if n_unused:
            files = "1 file is" if n_unused == 1 else f"{n_unused} files are"
            lines.append(f"--from: {files} of clips that are not asked for")
        return lines

    def _keep(self, known: dict, key: object, path: str) -> None:  # type: ignore[type-arg]
        self.n_doubled += key in known
        known.setdefault(key, path)


def _start_ms(parsed: re.Match[str]) -> int:
    if parsed["start_ms"] is not None:
        return int(parsed["start_ms"])
    return round(float(parsed["decimal"] or parsed["s"]) * 1000)


def _shortened(video_id: str) -> list[str]:
    """Return the rest of an id after one, two or three leading ``-`` and ``_`` are dropped."""
    n_lost = min(3, len(video_id) - len(video_id.lstrip(_LOST)))
    return [video_id[n:] for n in range(1, n_lost + 1)]
