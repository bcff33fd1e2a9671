"""One run at a time works on a folder."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from foleybench.errors import FoleyError
from foleybench.prepare.finished import RECORDS


@contextlib.contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold ``out`` for this run; the lock ends with the process, however it ends.

    Raises:
        FoleyError: Another run holds it.
    """
    folder = out / RECORDS
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FoleyError(
                f"another `foleybench prepare` is working on {out}. Wait for it, or use another --out."
            ) from error
        yield
