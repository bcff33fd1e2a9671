"""End a process when the one that started it ends.

A process that is killed cannot tell the ones that it started. Linux can be asked to kill those too; elsewhere they look
every second whether they have been left alone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_LOOK_S = 1.0
# In the environment of a process that is to end with this one: the number of its parent.
PARENT = "FOLEYBENCH_PARENT"


def end_with_parent(parent: int) -> None:
    """Let this process end when the one that started it has, also in the middle of a computation.

    Linux takes the end of the thread that started a process for the end of its parent: where that need not be the main
    thread, ``watch_parent`` does.

    Args:
        parent: Its number, as it was when this process was started.
    """
    if not _die_with(parent):
        watch_parent(parent)


def end_with_named_parent() -> None:
    """Do so when whoever started this process asked for it in its environment; its own children are not bound by it."""
    parent = os.environ.pop(PARENT, "")
    if parent.isdecimal():
        end_with_parent(int(parent))


def watch_parent(parent: int) -> None:
    """Let this process end within a second or two of the one that started it, from whatever thread that did so."""
    threading.Thread(target=_leave_without, args=(parent,), daemon=True).start()


def _die_with(parent: int) -> bool:
    """Ask Linux to kill this process with its parent; say whether it will."""
    if sys.platform != "linux":
        return False
    import ctypes

    if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        return False
    if os.getppid() != parent:  # It ended before we could ask.
        os._exit(1)
    return True


def _leave_without(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)
