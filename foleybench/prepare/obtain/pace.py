"""Limit how often this machine asks a host.

All workers and runs share one pace. A small file per host says when the next video may be asked for; a worker takes the
next slot under its lock and waits.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import IO

from foleybench.errors import FoleyError
from foleybench.prepare.waiting import wait

# A file that says to wait longer than this is damaged, or the clock was set.
_LONGEST_S = 24 * 3600.0


class Pace:
    """The pace at one host.

    Args:
        host: Name of the host.
        pause_s: Least seconds between two videos; up to twice as many are waited, so that requests are not regular.
        folder: Where the file lies (default: the user's scratch folder).
    """

    def __init__(self, host: str, pause_s: float, folder: Path | None = None) -> None:
        name = hashlib.sha256(host.encode()).hexdigest()[:16]
        self._path = (folder or scratch_root()) / f"pace-{name}.json"
        self._pause_s = pause_s

    def wait_for_turn(self) -> None:
        """Take the next slot and wait for it."""
        with self._path.open("a+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            now_s = time.time()
            slot_s = max(now_s, _read(handle, now_s))
            _write(handle, slot_s + self._pause_s * random.uniform(1.0, 2.0))
        wait(slot_s - now_s)

    def hold(self, seconds: float) -> None:
        """Block requests to this host for this many seconds."""
        with self._path.open("a+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            now_s = time.time()
            _write(handle, max(_read(handle, now_s), now_s + seconds))


def _read(handle: IO[str], now_s: float) -> float:
    handle.seek(0)
    try:
        next_s = float(json.loads(handle.read())["next_s"])
    except (ValueError, TypeError, KeyError):
        return 0.0  # A new file, or one whose writer was killed.
    return next_s if next_s - now_s < _LONGEST_S else 0.0


def _write(handle: IO[str], next_s: float) -> None:
    handle.seek(0)
    handle.truncate()
    handle.write(json.dumps({"next_s": next_s}))
    handle.flush()


def scratch_root() -> Path:
    """Return this user's folder for downloads and paces, below the system's temporary folder (``TMPDIR``).

    Raises:
        FoleyError: Somebody else owns it.
    """
    root = Path(tempfile.gettempdir()) / f"foleybench-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    if root.is_symlink() or root.stat().st_uid != os.getuid():
        raise FoleyError(f"{root} belongs to somebody else. Set TMPDIR to a folder of your own.")
    return root
