"""Files that appear whole, and their hashes."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from foleybench.errors import FoleyError


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file; remembered per (path, size, time of change)."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def canonical_json(record: Any) -> str:
    """Return ``record`` as one line of JSON with sorted keys; NaN and infinity are refused."""
    return json.dumps(record, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is either absent, the old one, or whole: temp file, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def require_writable(folder: Path, what: str) -> None:
    """Check, and change nothing, that files can be made in a folder, or that the folder can be made.

    Args:
        folder: The folder.
        what: Names it for the reader: the option, such as ``--out``.

    Raises:
        FoleyError: It is no folder, is read-only, or its disk is full.
    """
    there = folder.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise FoleyError(f"{what} {folder}: {there} is not a folder. Name another folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise FoleyError(f"{what} {folder}: {there} cannot be written to. Name another folder.")
    if os.statvfs(there).f_bavail == 0:
        raise FoleyError(f"{what} {folder}: the disk of {there} is full. Make room, or name another folder.")
