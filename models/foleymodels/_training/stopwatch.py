"""Count the seconds of a stage's training, also over restarts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from foleybench.fields import Fault, Place, maybe, number, read_json, record
from foleybench.files import canonical_json, write_atomically

_ADVICE = "Delete that file: the seconds before are not counted then."
_BOTH = record({"seconds": number(low=0.0), "cpu_seconds": maybe(number(low=0.0))}, more=False)


def _layout(value: Any) -> Fault | None:
    """Take both kinds of seconds, or the wall seconds alone, as earlier versions wrote them."""
    return _BOTH(value) if isinstance(value, dict) else number(low=0.0)(value)


class Stopwatch:
    """The seconds that a stage has been trained: in this process, and before the last save of those that were killed.

    What a killed process did after its last save is done again and counted once. The seconds lie in a file of their
    own, so that the states of a killed run and of an unbroken one stay equal byte by byte.
    """

    def __init__(self) -> None:
        """Start."""
        self._before_s, self._started = 0.0, time.monotonic()
        self._cpu_before_s: float | None = 0.0
        self._cpu_started = time.process_time()

    @property
    def seconds(self) -> float:
        """Wall seconds so far."""
        return self._before_s + time.monotonic() - self._started

    @property
    def cpu_seconds(self) -> float | None:
        """Processor seconds so far, of all threads of the processes; None where a process before did not count them."""
        return None if self._cpu_before_s is None else self._cpu_before_s + time.process_time() - self._cpu_started

    @property
    def facts(self) -> dict[str, float]:
        """Both, rounded to hundredths, as ``metrics.json`` has them; without those that are not known."""
        cpu_s = self.cpu_seconds
        return {"seconds": round(self.seconds, 2), **({} if cpu_s is None else {"cpu_seconds": round(cpu_s, 2)})}

    def save(self, path: Path) -> None:
        """Write the seconds so far."""
        cpu_s = self.cpu_seconds
        both = {"seconds": round(self.seconds, 3), "cpu_seconds": None if cpu_s is None else round(cpu_s, 3)}
        write_atomically(path, (canonical_json(both) + "\n").encode())

    def go_on(self, path: Path) -> None:
        """Add the seconds that were saved; none where an earlier version saved the state.

        Raises:
            FoleyError: The file is broken.
        """
        if not path.is_file():
            return
        found = read_json(path, _layout, Place(str(path), advice=_ADVICE))
        both = found if isinstance(found, dict) else {"seconds": found, "cpu_seconds": None}
        self._before_s += both["seconds"]
        known = None not in (self._cpu_before_s, both["cpu_seconds"])
        self._cpu_before_s = (self._cpu_before_s or 0.0) + both["cpu_seconds"] if known else None
