"""Let one run at a time work on a folder."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from foleybench.errors import FoleyError


@contextlib.contextmanager
def locked(out: Path, verb: str, file: str) -> Iterator[None]:
    """Hold ``out`` for this run; the lock ends with the process, however it ends.

    Args:
        out: The folder; made when absent.
        verb: The command that works on it.
        file: Name of the lock file in the folder.

    Raises:
        FoleyError: Another run holds the lock.
    """
    path = out / file
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FoleyError(
                f"another `foleybench {verb}` is working on {out}. Wait for it, or use another --out."
            ) from error
        yield
