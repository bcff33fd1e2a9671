"""Readers of JSON, CSV, gzip and arrays that name faults."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from foleybench.errors import why
from foleybench.fields.checks import Check, Place, shown

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Errors of numpy, gzip, zipfile and zlib on damaged files.
BROKEN_ARCHIVE = (
    *(OSError, ValueError, EOFError, KeyError, TypeError, RuntimeError, MemoryError, OverflowError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error),
)


def read_bytes(path: Path, place: Place | None = None) -> bytes:
    """Return the bytes of a plain file.

    Raises:
        FoleyError: The file is absent, not a plain file (reading a pipe may never end), or cannot be read.
    """
    place = place or Place(str(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            place.fail(" is not a plain file")
        return path.read_bytes()
    except FileNotFoundError as error:
        place.fail(" does not exist", error)
    except OSError as error:
        place.fail(f" cannot be read: {why(error)}", error)
    except ValueError as error:  # a NUL in the name
        place.fail(f" cannot be read: {error}", error)


def read_text(path: Path, place: Place | None = None) -> str:
    """Return the text of a file in UTF-8, without a byte-order mark.

    Raises:
        FoleyError: The file cannot be read, or is not UTF-8; the first wrong byte is named.
    """
    return as_text(read_bytes(path, place), place or Place(str(path)))


def as_text(data: bytes, place: Place) -> str:
    """Return UTF-8 bytes as text, without a byte-order mark.

    Raises:
        FoleyError: The bytes are not UTF-8; the first wrong byte is named.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place.fail(f" is not UTF-8 text: byte {error.start} is 0x{error.object[error.start]:02x}", error)


def read_json(path: Path, check: Check, place: Place | None = None) -> Any:
    """Return the content of a JSON file.

    Raises:
        FoleyError: The file cannot be read, is not JSON, or does not pass the check.
    """
    place = place or Place(str(path))
    return parse_json(read_bytes(path, place), check, place)


def parse_json(data: bytes, check: Check, place: Place) -> Any:
    """Return the value of JSON text: no name twice in an object, no NaN, no number beyond float64, no half characters.

    Raises:
        FoleyError: The text is not such JSON, or does not pass the check.
    """
    try:
        value = json.loads(as_text(data, place), object_pairs_hook=_unique, parse_constant=_no_constant)
        if _RISKY.search(data):
            _require_plain(value)
    except RecursionError as error:
        place.fail(" is nested too deeply", error)
    except ValueError as error:
        place.fail(f" is not JSON as it is wanted: {error}", error)
    place.require(value, check)
    return value


# Only text with such a pattern can give an infinite number, or half a character, that the parser accepts.
_RISKY = re.compile(rb"[0-9][eE]\+?[0-9]{3}|[0-9]{309}|\\u[dD][89a-fA-F]")


def _require_plain(value: Any) -> None:
    """Refuse infinite numbers and characters that no file can hold."""
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has {shown(twice)} twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number that JSON knows")


def read_rows(path: Path, columns: Sequence[str], place: Place | None = None) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and columns of each row of a CSV file with a header; its other columns are left out.

    Raises:
        FoleyError: The file cannot be read, is not UTF-8, lacks a column, or a row has more or fewer cells than the
            header.
    """
    place = place or Place(str(path))
    reader = csv.reader(io.StringIO(read_text(path, place), newline=""), strict=True)
    try:
        header = next(reader, [])
        absent = [name for name in columns if name not in header]
        if absent or len(set(header)) < len(header):
            wanted = ",".join(columns)
            place.fail(f" has the columns {shown(','.join(header))}; {wanted} are wanted, each once")
        for row in reader:
            if row and len(row) != len(header):
                place.line(reader.line_num).fail(f" has {len(row)} cells; {len(header)} are wanted")
            if row:
                cells = dict(zip(header, row, strict=True))
                yield reader.line_num, {name: cells[name] for name in columns}
    except csv.Error as error:
        place.line(reader.line_num).fail(f" is not CSV: {error}", error)


def gunzip(data: bytes, place: Place) -> bytes:
    """Return the content of gzip data.

    Raises:
        FoleyError: The data are damaged.
    """
    try:
        return gzip.decompress(data)
    except BROKEN_ARCHIVE as error:
        place.fail(f" cannot be unpacked: {_told(error)}", error)


def read_arrays(data: bytes | memoryview | IO[bytes], place: Place) -> dict[str, npt.NDArray[np.generic]]:
    """Return the arrays of ``.npz`` data, or of an open file of them, by name.

    Raises:
        FoleyError: The data are damaged, or hold Python objects.
    """
    import numpy as np

    try:
        handle = io.BytesIO(data) if isinstance(data, bytes | memoryview) else data
        with np.load(handle, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except BROKEN_ARCHIVE as error:
        place.fail(f" is not a file of arrays: {_told(error)}", error)


def _told(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
