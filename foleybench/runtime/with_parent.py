"""End a process when the one that started it ends.

A killed process cannot tell its children. Linux can be asked to kill these too; elsewhere they check every second
whether their parent is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_LOOK_S = 1.0
# Environment variable with the parent's number, for a process that is to end with its parent.
PARENT = "FOLEYBENCH_PARENT"


def end_with_parent(parent: int) -> None:
    """End this process when its parent ends, also in the middle of a computation.

    Linux takes the end of the thread that started a process for the end of its parent: where that need not be the main
    thread, ``watch_parent`` does.

    Args:
        parent: The parent's number when this process was started.
    """
    if not _die_with(parent):
        watch_parent(parent)


def end_with_named_parent() -> None:
    """End with the parent if the environment asks for it; this process's own children are not bound."""
    parent = os.environ.pop(PARENT, "")
    if parent.isdecimal():
        end_with_parent(int(parent))


def watch_parent(parent: int) -> None:
    """End this process within a second or two after its parent, whichever thread started it."""
    threading.Thread(target=_leave_without, args=(parent,), daemon=True).start()


def _die_with(parent: int) -> bool:
    """Ask Linux to kill this process with its parent; return whether it will."""
    if sys.platform != "linux":
        return False
    import ctypes

    if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        return False
    if os.getppid() != parent:  # The parent ended before we could ask.
        os._exit(1)
    return True


def _leave_without(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)
