"""Note which clips are being scored, for the next run.

A decoder that crashes takes the process with it, and nothing can be said any more. What was under way then stands in a
note that only a process which is gone leaves behind.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from foleybench.scoring.scorer import ClipToScore

_FOLDER = "under_way"


class UnderWay:
    """The note of this process, in the folder of the feature cache; without such a folder it is empty."""

    def __init__(self, cache: Path | None) -> None:
        """Take over, and delete, what processes that are gone have left."""
        self._path = None if cache is None else cache / _FOLDER / f"{os.getpid()}.json"
        self._suspects = set() if cache is None else _left_behind(cache / _FOLDER)

    def suspect(self, clips: Sequence[ClipToScore]) -> bool:
        """Return whether one of these clips was under way when a process died."""
        return any(_name(clip) in self._suspects for clip in clips)

    def begin(self, clips: Sequence[ClipToScore]) -> None:
        """Write down what is scored from now on. A folder that cannot be written to keeps no note."""
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.write_text(json.dumps([_name(clip) for clip in clips]), encoding="utf-8")
            except OSError:
                self._path = None

    def end(self) -> None:
        """Take the note away: nothing is under way."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # other runs have notes there, or there was nothing
                self._path.parent.rmdir()


def _name(clip: ClipToScore) -> str:
    return str(clip.path.absolute()) if clip.path else clip.clip_id


def _left_behind(folder: Path) -> set[str]:
    """Return what stands in the notes of processes that are gone, and delete these."""
    found: set[str] = set()
    for path in folder.glob("*.json"):
        if not path.stem.isdecimal() or _lives(int(path.stem)):
            continue
        try:
            names = json.loads(path.read_text(encoding="utf-8"))
            path.unlink(missing_ok=True)
        except (OSError, ValueError):  # half written, or another run was faster
            continue
        found |= {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()
    return found


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return process != os.getpid()
