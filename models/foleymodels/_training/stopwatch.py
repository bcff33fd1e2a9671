"""Count the seconds of a stage's training, also over restarts."""

from __future__ import annotations

import time
from pathlib import Path

from foleybench.fields import Place, number, read_json
from foleybench.files import canonical_json, write_atomically

_ADVICE = "Delete that file: the seconds before are not counted then."


class Stopwatch:
    """The seconds that a stage has been trained: in this process, and before the last save of those that were killed.

    What a killed process did after its last save is done again and counted once. The seconds lie in a file of their
    own, so that the states of a killed run and of an unbroken one stay equal byte by byte.
    """

    def __init__(self) -> None:
        """Start."""
        self._before_s, self._started = 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self._before_s + time.monotonic() - self._started

    def save(self, path: Path) -> None:
        """Write the seconds so far."""
        write_atomically(path, (canonical_json(round(self.seconds, 3)) + "\n").encode())

    def go_on(self, path: Path) -> None:
        """Add the seconds that were saved; none where an earlier version saved the state.

        Raises:
            FoleyError: The file is broken.
        """
        if path.is_file():
            self._before_s += read_json(path, number(low=0.0), Place(str(path), advice=_ADVICE))
