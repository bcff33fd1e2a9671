"""Let one run at a time work on a folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from foleybench.errors import FoleyError


@contextlib.contextmanager
def locked(out: Path, verb: str, file: str) -> Iterator[None]:
    """Hold ``out`` for this run; the lock ends with the process, however it ends.

    A run that raises takes its lock file away again, and the folders made for it as far as they are empty: what was
    refused leaves no trace.

    Args:
        out: The folder; made when absent.
        verb: The command that works on it.
        file: Name of the lock file in the folder.

    Raises:
        FoleyError: Another run holds the lock.
    """
    path = out / file
    made = [folder for folder in path.parents if not folder.exists()]
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        if not _lock(handle, path):
            raise FoleyError(f"another `foleybench {verb}` is working on {out}. Wait for it, or use another --out.")
        try:
            yield
        except BaseException:
            if new:
                _remove(path, made)
            raise


def _lock(handle: IO[str], path: Path) -> bool:
    """Lock the open file; false where another holds it, or has just removed it from its folder."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _remove(path: Path, made: Sequence[Path]) -> None:
    """Delete the lock file while it is held, then folders, innermost first, up to one that is not empty."""
    with contextlib.suppress(OSError):
        path.unlink()
        for folder in made:
            folder.rmdir()
