"""Exclude waiting from a clip's time limit.

A clip that waits for its turn is then not mistaken for one that hangs.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_told: list[Callable[[float], None]] = []


def wait(seconds: float) -> None:
    """Wait, and have the clip's time limit extended by as much when a pool is watching."""
    if seconds <= 0.0:
        return
    for tell in _told:
        tell(seconds)
    time.sleep(seconds)


def tell_with(tell: Callable[[float], None]) -> None:
    """Have ``tell`` called with the seconds before each wait of this process."""
    _told[:] = [tell]
