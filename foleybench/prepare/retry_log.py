"""Record when each clip failed, and when to try again.

``<out>/.prepared/<split>.tries.jsonl`` gets a line each time a clip ends with a failure that another try may not
repeat. It holds times, so it is no part of the result; without it every such clip may be tried at once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

# Failures of a worker: waiting is not known to help.
_AT_ONCE = frozenset({"timeout", "crashed", "out_of_memory"})
# Failures of a server or an address, with the seconds to leave it alone; twice as long after each further failure.
_LATER = {
    "rate_limited": 3600.0,
    "bot_check": 6 * 3600.0,
    "client_refused": 6 * 3600.0,
    "forbidden": 3600.0,
    # (A site that shuts somebody out hides its formats.)
    "no_format": 24 * 3600.0,
    "server_error": 600.0,
    "stalled": 600.0,
    "truncated": 600.0,
    "unreachable": 600.0,
    "fetch_failed": 3600.0,
    "not_yet": 24 * 3600.0,
}
# Neither a file under --from nor --fetch.
NOT_HERE = "not_here"
# Fetching will never succeed; a file of the clip that appears under --from is used.
_GONE = frozenset(
    (
        "removed",
        "private",
        "age_limited",
        "region_blocked",
        "members_only",
        "drm_protected",
        "no_video_there",
        NOT_HERE,
    )
)
_LONGEST_S = 7 * 24 * 3600.0


class Try(NamedTuple):
    """The last failure of a clip.

    Attributes:
        status: The failure.
        n: Number of failures so far that may go away.
        at_s: Time of the last failure, in seconds since 1970.
        due_s: Time from which the clip may be tried again, in seconds since 1970.
    """

    status: str
    n: int
    at_s: float
    due_s: float


class Tries:
    """The tries of one split.

    Args:
        folder: ``<out>/.prepared``.
        split: Name of the split.
    """

    def __init__(self, folder: Path, split: str) -> None:
        self._path = folder / f"{split}.tries.jsonl"
        self._last: dict[str, Try] = {}
        if self._path.is_file():
            for line in self._path.read_bytes().splitlines():
                self._read(line)

    def _read(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            clip_id = record.pop("clip_id")
            self._last[clip_id] = Try(**record)
        except (ValueError, TypeError, KeyError):
            return  # The line that was being written when the machine stopped.

    def note(self, clip_id: str, status: str, retry_after_s: float | None) -> None:
        """Write down that a clip ended with a failure that goes away by waiting; others are left out."""
        if status not in _LATER:
            return
        n = self._last[clip_id].n + 1 if clip_id in self._last else 1
        wait_s = min(_LATER[status] * 2.0 ** min(n - 1, 20), _LONGEST_S)
        now_s = time.time()
        last = Try(status, n, now_s, now_s + max(wait_s, retry_after_s or 0.0))
        self._last[clip_id] = last
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as handle:
            handle.write(json.dumps({"clip_id": clip_id, **last._asdict()}) + "\n")

    def may_try(self, clip_id: str, status: str, access: Mapping[str, Any], *, now_s: float | None = None) -> bool:
        """Whether a clip with this status may be tried again by now.

        Args:
            clip_id: The clip.
            status: How it ended.
            access: How its media can be had this time.
            now_s: Seconds since 1970 (default: the clock).
        """
        if status == "ok":
            return False
        if status in _GONE:
            return "path" in access or (status == NOT_HERE and bool(access))
        if status in _LATER and "path" in access:
            return True
        return status in _AT_ONCE or (status in _LATER and self.due_s(clip_id) <= (now_s or time.time()))

    def due_s(self, clip_id: str) -> float:
        """Return when a clip may be tried again, in seconds since 1970; 0 when nothing is known."""
        return self._last[clip_id].due_s if clip_id in self._last else 0.0


def goes_away(status: str) -> bool:
    """Whether a failure is one of a server: a run that goes on tries such clips again by itself when they are due."""
    return status in _LATER or status == NOT_HERE
