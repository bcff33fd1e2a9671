"""Run a pool of fresh processes; none outlives this one.

Each worker holds the reading end of a pipe whose writing end only this process has: when that end closes, the worker
exits at once, on any system; so an error (Ctrl-C too) need not wait for the workers' tasks.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from foleybench.runtime.with_parent import end_with_parent


@contextlib.contextmanager
def worker_processes(n: int) -> Iterator[concurrent.futures.ProcessPoolExecutor]:
    """Give a pool of ``n`` processes; all end with the context, or with this process, however it ends."""
    # A fork would copy torch's threads and locks in an undefined state.
    context = multiprocessing.get_context("spawn")
    told, ours = context.Pipe(duplex=False)
    from_main = threading.current_thread() is threading.main_thread()
    pool = _Pool(n, mp_context=context, initializer=_begin, initargs=(os.getpid(), from_main, told))
    try:
        yield pool
    except BaseException:  # also Ctrl-C and a closed generator: workers must go before the pool waits for them
        ours.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        ours.close()
        told.close()


class _Pool(concurrent.futures.ProcessPoolExecutor):
    """A pool whose workers never receive Ctrl-C, not even while they start: the pool's owner ends them."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        """Submit as usual; a process started here inherits the blocked signals."""
        with _interrupts_held_back():
            return super().submit(fn, *args, **kwargs)


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(parent: int, from_main: bool, told: Connection) -> None:
    """Set up a worker."""
    if from_main:
        end_with_parent(parent)
    threading.Thread(target=_leave_when_closed, args=(told,), daemon=True).start()


def _leave_when_closed(told: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        told.recv_bytes()
    os._exit(1)
