"""Make a temporary folder for one download.

The folder is removed afterwards; a folder that a killed worker left is removed by the next download.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from foleybench.prepare.obtain.pace import scratch_root

_PREFIX = "fetch-"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder whose name holds this process's number, and remove it at the end."""
    root = scratch_root()
    for left in root.glob(f"{_PREFIX}*"):
        if not _alive(left.name):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alive(name: str) -> bool:
    number = name.removeprefix(_PREFIX).partition("-")[0]
    if not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
