"""Read the lists that VGGSound, AudioSet and their users publish.

The layout of a file is found from its first lines. Known layouts are: VGGSound (``id,start,"label",split``;
``id_000300.mp4,label``), AudioSet (comment lines, then ``id, start, end, "labels"``), tables with a line of column
names (MMAudio, V-AURA, VGGSounder, AudioCaps), AVE (``category&id&quality&start&end``) and plain names, one a line
(Synchformer).

Each line is parsed on its own, so that a quote that is never closed costs one row, not the rest of the file.
"""

from __future__ import annotations

import csv
import functools
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from foleybench.clip_ids import parse_stem
from foleybench.errors import FoleyError

MAX_LINE_CHARS = 20000
MAX_LABEL_CHARS = 500
MAX_START_S = 999_999
_SHOWN_CHARS = 80
VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_ENDING = re.compile(r"\.(mp4|mkv|webm|wav|flac)$")
_DECLARED = re.compile(r"num_segs=(\d+)")

# Column names in use, by their meaning.
_HEADS = {
    "name": ("youtube_id", "video_id", "ytid", "videoid", "id", "file", "filename"),
    "start": ("start_time", "start_seconds", "start", "start_sec", "starttime"),
    "end": ("end_seconds", "end", "end_time", "endtime"),
    "label": ("label", "labels", "positive_labels", "desc", "category", "caption"),
    "split": ("split",),
}


class ListRow(NamedTuple):
    """One usable row.

    Attributes:
        video_id: The eleven characters of the video.
        start_s: Where the clip starts in it.
        end_s: Where it ends, or None when the list does not say.
        labels: Class names (VGGSound) or ontology ids (AudioSet), in the list's order.
        split: The list's split, or "".
        line: Number of the line, from 1.
    """

    video_id: str
    start_s: float
    end_s: float | None
    labels: tuple[str, ...]
    split: str
    line: int


class BadRow(NamedTuple):
    """A row that cannot be used: its line, the reason, and its start with everything unprintable escaped."""

    line: int
    reason: str
    shown: str


class _Columns(NamedTuple):
    """The position of each field in a row; -1 for fields that a list does not have."""

    name: int = 0
    start: int = -1
    end: int = -1
    label: int = -1
    split: int = -1


_VGGSOUND = _Columns(name=0, start=1, label=2, split=3)
_AUDIOSET = _Columns(name=0, start=1, end=2, label=3)
_AVE = _Columns(name=1, start=3, end=4, label=0)
_NAMED = _Columns(name=0, label=1)


def key_of(video_id: str, start_s: float) -> tuple[str, int]:
    """Return a clip's key across lists: the video and the start in milliseconds."""
    return video_id, round(start_s * 1000)


def read_list(path: Path) -> Iterator[ListRow | BadRow]:
    """Read a list in any of the known layouts, in file order.

    Raises:
        FoleyError: There is no such file, or its first lines fit no known layout.
    """
    if not path.is_file():
        raise FoleyError(
            f"no list at {path}. Name the file that the data set's authors publish, or `official`, which fetches it."
        )
    with path.open("rb") as handle:
        columns: _Columns | None = None
        fields_of: Callable[[str], list[str]] = _commas
        n_rows, declared = 0, None
        for number, raw in enumerate(handle, start=1):
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").rstrip("\r\n")
            if not line.strip() or line.startswith("#"):
                found = _DECLARED.search(line[:200])
                declared = int(found[1]) if found else declared
                continue
            if columns is None:
                fields_of = _splitter(line)
                try:
                    columns, is_head = _sniff(path, fields_of(line))
                except csv.Error as error:
                    raise FoleyError(
                        f"{path}, line {number} is no row of a list that is known here: {error}."
                    ) from error
                if is_head:
                    continue
            n_rows += 1
            yield _row(line, number, fields_of, columns)
        if declared is not None and declared != n_rows:
            yield BadRow(0, f"the list says that it has {declared} rows, and has {n_rows}: it may be cut off", "")


def _commas(line: str) -> list[str]:
    return next(csv.reader((line,), skipinitialspace=True), [])


def _tabs(line: str) -> list[str]:
    return line.split("\t")


def _ampersands(line: str) -> list[str]:
    return line.split("&")


def _splitter(line: str) -> Callable[[str], list[str]]:
    if "\t" in line:
        return _tabs
    return _ampersands if line.count("&") == 4 and "," not in line.partition("&")[2] else _commas


def _sniff(path: Path, fields: list[str]) -> tuple[_Columns, bool]:
    """Return the columns, and whether this row holds their names."""
    heads = [field.strip().lower() for field in fields]
    columns = {what: _index(heads, names) for what, names in _HEADS.items()}
    if columns["name"] >= 0:
        return _Columns(**columns), True
    if len(fields) == 5:
        return _AVE, False
    if len(fields) == 4:
        return (_AUDIOSET if _is_number(fields[2]) else _VGGSOUND), False
    if len(fields) <= 2:
        return (_NAMED if len(fields) == 2 else _Columns()), False
    raise FoleyError(
        f"{path} has a first row of {len(fields)} fields, which is no list of clips that is known here. Name a list "
        "as its authors publish it, or a table with the columns id, start and label."
    )


def _index(heads: list[str], names: tuple[str, ...]) -> int:
    return next((heads.index(name) for name in names if name in heads), -1)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _row(line: str, number: int, fields_of: Callable[[str], list[str]], columns: _Columns) -> ListRow | BadRow:
    if len(line) > MAX_LINE_CHARS:
        return BadRow(number, f"the line has {len(line)} characters", shown_text(line))
    try:
        fields = fields_of(line)
        video_id, start_s, end_s = _interval(fields, columns)
        labels = _labels(_field(fields, columns.label))
        return ListRow(video_id, start_s, end_s, labels, _field(fields, columns.split).strip(), number)
    except (ValueError, csv.Error) as error:
        return BadRow(number, str(error), shown_text(line))


def _field(fields: list[str], index: int) -> str:
    if index < 0:
        return ""
    if index >= len(fields):
        raise ValueError(f"there are only {len(fields)} fields")
    return fields[index]


def _interval(fields: list[str], columns: _Columns) -> tuple[str, float, float | None]:
    name = _field(fields, columns.name)
    if not VIDEO_ID.fullmatch(name):
        # A name that holds its start: a further start in the row then counts from the clip's own.
        stem = _ENDING.sub("", name.rpartition("/")[2])
        found = parse_stem(stem)
        if not found.known:
            raise ValueError(f"{shown_text(name)!r} is neither a video id of eleven characters nor the name of a clip")
        return found.source_id, found.start_s, found.end_s
    if columns.start < 0:
        raise ValueError(f"the row of video {name} does not say where the clip starts")
    start_s = _seconds(_field(fields, columns.start))
    end_s = _seconds(_field(fields, columns.end)) if columns.end >= 0 else None
    if end_s is not None and end_s <= start_s:
        raise ValueError(f"the clip ends at {end_s:g} s, which is not after its start at {start_s:g} s")
    return name, start_s, end_s


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 <= seconds <= MAX_START_S:
        raise ValueError(f"{shown_text(text)!r} is not a time in seconds")
    return seconds


@functools.lru_cache(maxsize=100_000)
def _labels(text: str) -> tuple[str, ...]:
    """Split a field of ontology ids; a VGGSound label may hold commas and is one label."""
    labels = tuple(label.strip() for label in text.split(",")) if text.startswith("/") else (text.strip(),)
    for label in labels:
        if len(label) > MAX_LABEL_CHARS:
            raise ValueError(f"a label has {len(label)} characters; at most {MAX_LABEL_CHARS} are taken")
        if not label.isprintable():
            raise ValueError(f"the label {shown_text(label)!r} holds characters that cannot be printed")
    return tuple(label for label in labels if label)


def shown_text(text: str) -> str:
    """Return the start of a text for messages: unprintable characters escaped, long text cut."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:_SHOWN_CHARS])
    return safe if len(text) <= _SHOWN_CHARS else f"{safe}..."
