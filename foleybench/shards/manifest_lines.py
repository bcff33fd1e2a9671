"""Read a manifest line by line.

The facts in its header are checked, and the hash that names the test set is computed. A test set has one name in either
schema, and whatever versions made it: the SHA-256 of header and lines without the additions of schema 2 (the number of
lines, their hash, and in each line the hash of the JSON member), with fixed versions in the header. What other versions
change shows in the hashes of the media.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from foleybench.errors import ManifestError
from foleybench.files import canonical_json

SCHEMA = 2
# Fields of schema 2's header beside those of schema 1.
_STATED = ("n_lines", "lines_sha256")
HEADER_ONLY = ("schema", *_STATED)
# What stands in names in place of a header's versions: those of the first published sets, which keep their names.
_TOOLS = {"foleybench": "0.1.0", "libavcodec": "62.28.102", "libsndfile": "1.2.2", "pyav": "18.1.0"}
# Keys are sorted: the hash stands between the facts, which end in a brace, and the label.
_ADDED = re.compile(rb'(?<=\}),"json_sha256":(?:null|"[0-9a-f]{64}")(?=,"label":)')


class ManifestLines:
    """The lines of a manifest, read forward once.

    Attributes:
        where: The manifest, for messages.
        header: Its first line.
    """

    def __init__(self, where: str, handle: IO[bytes]) -> None:
        """Read the first line.

        Raises:
            ManifestError: The file is empty, or its first line is no header of a known schema.
        """
        self.where = where
        self._handle = handle
        first = handle.readline()
        if not first:
            raise ManifestError(f"{where} is empty. Run `foleybench prepare` again.")
        try:
            self.header = parse_line(first)
            schema = self.header["schema"]
        except (ValueError, KeyError) as error:
            raise no_header(where, error) from error
        if not isinstance(schema, int) or schema not in (1, SCHEMA) or schema is True:
            raise ManifestError(
                f"{where} has schema {schema!r}, this version reads 1 and {SCHEMA}. Prepare the data again."
            )
        self._stated = _stated(where, self.header) if schema == SCHEMA else None
        self._n_lines = 0
        self._lines = hashlib.sha256()
        self._identity = hashlib.sha256(_named(self.header))

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line with its number, from 2; at the end compare with what the header states.

        Raises:
            ManifestError: There are fewer or more lines, other ones, or the last one has no end.
        """
        for line in self._handle:
            self._n_lines += 1
            if not line.endswith(b"\n"):
                raise ManifestError(f"{self.where}, line {self._n_lines + 1} has no end: {_CUT}")
            self._lines.update(line)
            self._identity.update(line if self._stated is None else _ADDED.sub(b"", line, count=1))
            yield self._n_lines + 1, line
        if self._stated is not None:
            self._compare(*self._stated)

    @property
    def sha256(self) -> str:
        """Hash that names the test set, valid once all lines were read."""
        return self._identity.hexdigest()

    def _compare(self, n_lines: int, lines_sha256: str) -> None:
        if self._n_lines != n_lines:
            raise ManifestError(
                f"{self.where} has {self._n_lines} lines after its header, which states {n_lines}: {_CUT}"
            )
        if self._lines.hexdigest() != lines_sha256:
            raise ManifestError(
                f"{self.where} was altered: the SHA-256 of its lines is not the one that its header states. {_AGAIN}"
            )


_AGAIN = "Get the whole file again, or prepare the data again."
_CUT = f"the file was cut or added to. {_AGAIN}"


def parse_line(line: bytes) -> dict[str, Any]:
    """Return the object of a line.

    Raises:
        ValueError: The line is no JSON object, or holds a number that JSON does not know.
    """
    record = json.loads(line.decode("utf-8", errors="replace"), parse_constant=_refuse_number)
    if not isinstance(record, dict):
        raise ValueError(f"{str(record)[:40]} is no JSON object")
    return record


def require_types(record: Mapping[str, Any], types: Mapping[str, Any]) -> None:
    """Refuse a field of another type than its own; fields that are missing or unknown are the caller's.

    Raises:
        TypeError: Names the field, what it holds and what was expected.
    """
    for key, value in record.items():
        wanted = types.get(key, object)
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            names = wanted if isinstance(wanted, tuple) else (wanted,)
            expected = " or ".join("null" if one is type(None) else one.__name__ for one in names)
            raise TypeError(f"{key} is {str(value)[:40]!r}, expected {expected}")


def no_header(where: str, error: Exception) -> ManifestError:
    """Return the error for a file whose first line cannot be used."""
    why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return ManifestError(f"{where} is no manifest: line 1 is not a header ({why}). Prepare the data again.")


def _stated(where: str, header: Mapping[str, Any]) -> tuple[int, str]:
    try:
        require_types(header, {"n_lines": int, "lines_sha256": str})
        return header["n_lines"], header["lines_sha256"]
    except (KeyError, TypeError) as error:
        raise no_header(where, error) from error


def _named(header: Mapping[str, Any]) -> bytes:
    """Return the part of a header that names the test set."""
    own = {key: value for key, value in header.items() if key not in _STATED}
    tools = {"tools": _TOOLS} if own.get("tools") else {}
    return canonical_json({**own, **tools, "schema": 1}).encode() + b"\n"


def _refuse_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")
