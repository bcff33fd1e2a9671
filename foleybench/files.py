"""Files that appear whole, and their hashes.

A file is written under a temporary name that says which process of which machine writes it, so a later run can tell
what was left behind from what is being written.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from foleybench.errors import FoleyError, why

# Several machines may write into one folder, and know nothing of each other's processes.
_MACHINE = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
_TEMPORARY = re.compile(rf"\..*\.{_MACHINE}\.([0-9]+)\.tmp")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file; remembered per (path, size, time of change)."""
    stat = path.stat()
    return _digest("sha256", path, stat.st_size, stat.st_mtime_ns)


def file_md5(path: Path) -> str:
    """Return the MD5 of a file, for those of which nothing better is published; remembered likewise."""
    stat = path.stat()
    return _digest("md5", path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _digest(kind: str, path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, kind).hexdigest()


def canonical_json(record: Any) -> str:
    """Return ``record`` as one line of JSON with sorted keys; NaN and infinity are refused."""
    return json.dumps(record, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is either absent, the old one, or whole: temp file, fsync, rename.

    Raises:
        FoleyError: It cannot be written (full disk, no permission); nothing half written stays.
    """
    with written_atomically(path) as handle:
        handle.write(data)


@contextlib.contextmanager
def written_atomically(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that appears under its name when the block ends without an error.

    Raises:
        FoleyError: It cannot be written (full disk, no permission); nothing half written stays.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_beside(path)
        with temporary.open("wb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        raise FoleyError(f"{path} cannot be written: {why(error)}. Make room, or name another place.") from error
    finally:
        if temporary:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def named_in_errors(path: Path) -> Iterator[None]:
    """Give errors of the file system the name of a file, which those of writing to an open one lack."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:  # without a number, the name would hide the words
            error.filename = str(path)
        raise


def temporary_beside(path: Path) -> Path:
    """Return the name under which this process writes a file before it is whole.

    The first time that this process asks for one in a folder, it removes what ended processes left there.
    """
    _sweep(path.parent)
    return path.with_name(f".{path.name}.{_MACHINE}.{os.getpid()}.tmp")


@functools.lru_cache(maxsize=4096)
def _sweep(folder: Path) -> None:
    """Remove the temporary files of processes of this machine that are gone."""
    with os.scandir(folder) as found:
        names = [entry.name for entry in found if entry.name.endswith(".tmp")]
    for name in names:
        match = _TEMPORARY.fullmatch(name)
        if match and not _is_running(int(match[1])):
            # Another process may have removed it first; one that is no file is none of ours.
            with contextlib.suppress(OSError):
                (folder / name).unlink()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


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


def require_readable(folder: Path, what: str) -> None:
    """Check that a folder can be listed.

    Raises:
        FoleyError: It is absent, no folder, or cannot be listed.
    """
    try:
        with os.scandir(folder):
            return
    except OSError as error:
        raise FoleyError(f"{what} {folder} cannot be read: {why(error)}. Name another folder.") from error
