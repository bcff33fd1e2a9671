"""Match the files of an audio folder to clips.

A file is a clip's when their names are equal as they stand (with or without folders in front), when both follow a
scheme that names the same seconds of the same video, or when they are equal once made safe as ids: never by the length
of a name or by similarity. Several takes of a clip lie in a folder named after it (``clip/0.wav``, ``clip/1.wav``), or
have numbers in the column ``take`` of the name map. Files without a match are named, with the nearest names.
"""

from __future__ import annotations

import csv
import dataclasses
import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from foleybench.clip_ids import parse_stem, slug
from foleybench.errors import FoleyError
from foleybench.media.folder import SOUND_ENDINGS, VIDEO_ENDINGS, FolderFiles, left_out, list_files, printable

_TAKE = re.compile(r"(?:take[ _-]?)?([0-9]{1,4})", re.IGNORECASE)
# The search for near names takes time that grows with the names compared.
_MOST_COMPARED = 2000
_NEAR = 0.6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Matched:
    """The files of a folder by clip, and those without a clip.

    Attributes:
        files: Clip id -> its takes, in their order; one file where there are no takes.
        missing: Clips without a file, in the order asked for.
        unmatched: Media files that belong to no clip.
        lying: All that lies in the folder.
        unknown_rows: Lines of the name map that name no clip, or no file that is there.
    """

    files: dict[str, tuple[Path, ...]]
    missing: list[str]
    unmatched: list[PurePosixPath]
    lying: FolderFiles = dataclasses.field(default_factory=lambda: FolderFiles([], [], []))
    unknown_rows: list[str] = dataclasses.field(default_factory=list)

    @property
    def n_takes(self) -> int:
        """The largest number of takes of a clip."""
        return max(map(len, self.files.values()), default=0)


class ClipNames:
    """Finds the clip that a name means."""

    def __init__(self, clips: Mapping[str, str]) -> None:
        """Index the names of clips.

        Args:
            clips: Clip id -> the file that the clip was read from, "" when unknown.
        """
        exact: dict[str, str | None] = {clip_id: clip_id for clip_id in clips}
        # By the names as they stand, by the seconds of a video that they name, by the names made safe.
        self._by_name: list[dict[str, str | None]] = [exact, {}, {}]
        for clip_id, source in clips.items():
            path = _without_ending(source) if source and "://" not in source else PurePosixPath(clip_id)
            for name in {str(path), path.name} - clips.keys():
                self._add(0, name, clip_id)
            # Audio generated for a folder that was prepared when such ids were still imposed.
            self._add(1, f"{clip_id}_000000", clip_id)
            for name in {clip_id, path.name}:
                if (parsed := parse_stem(name)).known:
                    self._add(1, parsed.clip_id, clip_id)
                self._add(2, slug(name), clip_id)

    def _add(self, rank: int, name: str, clip_id: str) -> None:
        """Index a name; a name of two clips matches neither."""
        known = self._by_name[rank]
        known[name] = clip_id if known.get(name, clip_id) == clip_id else None

    def find(self, name: str) -> str | None:
        """Return the clip of a name without its ending, or None."""
        parsed = parse_stem(name)
        keys = (name, parsed.clip_id if parsed.known else name, slug(name))
        return next((found for known, key in zip(self._by_name, keys, strict=True) if (found := known.get(key))), None)

    def of(self, name: str) -> str | None:
        """Return the clip that a person means by an id or by the name of a file, or None."""
        whole = _without_ending(name)
        return self.find(str(whole)) or self.find(whole.name)

    def of_file(self, path: PurePosixPath) -> tuple[str, int | None] | None:
        """Return the clip and the take of a file, or None."""
        whole = _without_ending(str(path))
        if exact := self._by_name[0].get(str(whole)):
            return exact, None
        take = _TAKE.fullmatch(whole.name)
        if take and len(whole.parts) > 1 and (clip_id := self.find(whole.parts[-2])):
            return clip_id, int(take[1])
        clip_id = self.find(whole.name)
        return (clip_id, None) if clip_id else None


def match(folder: Path, clips: Mapping[str, str], names: Path | None = None) -> Matched:
    """Match the files of a folder to clips.

    Args:
        folder: Folder of the files, with its subfolders.
        clips: Clip id -> the file that the clip was read from, "" when unknown; in the order wanted.
        names: CSV with the columns ``path`` (in ``folder``), ``clip_id`` (an id, or the name of the clip's own file)
            and, if wanted, ``take``; None to match by name.

    Raises:
        FoleyError: No such folder, a name map that cannot be read, or two files for one take of a clip.
    """
    if not folder.is_dir():
        raise FoleyError(f"no folder at {folder}; --audio wants a folder with the audio of the clips.")
    files = list_files(folder)
    known = ClipNames(clips)
    unknown_rows: list[str] = []
    found: dict[str, dict[int | None, PurePosixPath]] = {}
    rows = _by_map(names, known, files, unknown_rows) if names else _by_name(known, files)
    used = set()
    for path, clip_id, take in rows:
        other = found.setdefault(clip_id, {}).setdefault(take, path)
        if other != path:
            raise FoleyError(_two_files(clip_id, take, other, path))
        used.add(path)
    for clip_id, takes in found.items():
        if None in takes and len(takes) > 1:
            numbered = next(path for take, path in takes.items() if take is not None)
            raise FoleyError(_two_files(clip_id, None, takes[None], numbered))
    return Matched(
        files={
            clip_id: tuple(folder / found[clip_id][take] for take in sorted(found[clip_id], key=lambda take: take or 0))
            for clip_id in clips
            if clip_id in found
        },
        missing=[clip_id for clip_id in clips if clip_id not in found],
        unmatched=[path for path in files.media if path not in used],
        lying=files,
        unknown_rows=unknown_rows,
    )


def _by_name(known: ClipNames, files: FolderFiles) -> Iterator[tuple[PurePosixPath, str, int | None]]:
    for path in files.media:
        if of := known.of_file(path):
            yield path, *of


def _by_map(
    names: Path, known: ClipNames, files: FolderFiles, unknown_rows: list[str]
) -> Iterator[tuple[PurePosixPath, str, int | None]]:
    present = set(files.media)
    for number, row in enumerate(read_names(names), start=2):
        path, clip_id = PurePosixPath(row.path), known.of(row.clip_id)
        if clip_id is None:
            unknown_rows.append(f"line {number}: there is no clip {row.clip_id!r}")
        elif path not in present:
            unknown_rows.append(f"line {number}: there is no audio or video at {row.path!r} in the folder")
        else:
            yield path, clip_id, row.take


def leftovers(matched: Matched) -> Iterator[str]:
    """Yield a sentence for each file or line of the name map that belongs to no clip."""
    for path in matched.unmatched:
        yield f"{printable(path)}: there is no clip of this name"
    for row in matched.unknown_rows:
        yield f"name map, {row}"
    yield from left_out(matched.lying)


@dataclasses.dataclass(frozen=True)
class NameRow:
    """A line of a name map."""

    path: str
    clip_id: str
    take: int | None = None


def read_names(names: Path) -> list[NameRow]:
    """Return the lines of a name map: a CSV with the columns ``path``, ``clip_id`` and, if wanted, ``take``.

    Raises:
        FoleyError: The table cannot be read, lacks a column, or has a take that is no number.
    """
    wanted = "it wants a CSV with the columns path,clip_id and, for several takes of a clip, take"
    try:
        with names.open(newline="", encoding="utf-8-sig") as handle:
            rows = csv.DictReader(handle)
            if not {"path", "clip_id"} <= set(rows.fieldnames or ()):
                raise FoleyError(f"name map {names} has the columns {', '.join(rows.fieldnames or ())}; {wanted}.")
            return [_row(row) for row in rows]
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        raise FoleyError(f"name map {names}: {error}; {wanted}.") from error


def _row(row: Mapping[str, str | None]) -> NameRow:
    take = (row.get("take") or "").strip()
    return NameRow(row["path"] or "", row["clip_id"] or "", int(take) if take else None)


def nearest(name: str, names: Sequence[str], n: int = 2) -> list[str]:
    """Return the names that are most like one, whatever their case, at most ``n``; none when none is near.

    Example:
        >>> nearest("hitting-bag", ["hitting_bag", "disney"]), nearest("DISNEY", ["hitting_bag", "disney"])
        (['hitting_bag'], ['disney'])
    """
    folded: dict[str, list[str]] = {}
    for other in names[:_MOST_COMPARED]:
        folded.setdefault(other.casefold(), []).append(other)
    near = difflib.get_close_matches(name.casefold(), folded, n=n, cutoff=_NEAR)
    return [other for key in near for other in folded[key]][:n]


def _without_ending(path: str) -> PurePosixPath:
    whole = PurePosixPath(_composed(path))
    return whole.with_suffix("") if whole.suffix.lower() in VIDEO_ENDINGS | SOUND_ENDINGS else whole


def _composed(name: str) -> str:
    """Return a name with its accents joined to their letters: some file systems keep them apart."""
    return unicodedata.normalize("NFC", name)


def _two_files(clip_id: str, take: int | None, one: PurePosixPath, other: PurePosixPath) -> str:
    which = "" if take is None else f", take {take}"
    return (
        f"two files for clip {clip_id!r}{which}: {one} and {other}. Keep one; or, when they are takes of one system, "
        f"name them {clip_id}/0.wav, {clip_id}/1.wav, or give --names with a column take."
    )
