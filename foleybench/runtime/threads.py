"""Compute on one thread; sums do not depend on cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_OMP = "OMP_NUM_THREADS"


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch and the BLAS of NumPy and SciPy on one thread; clips run in parallel instead.

    A matrix product in two threads adds up in another order, and then differs in its last bits. The number of
    threads depends on the machine and on variables that a process reads only at its start: a variable set later (as
    ``foleybench`` sets ``OPENBLAS_NUM_THREADS``) reaches worker processes but not the process itself.
    """
    from threadpoolctl import threadpool_limits

    with _torch_on_one_thread() if "torch" in sys.modules else _torch_to_come(), threadpool_limits(1, "blas"):
        yield


@contextmanager
def _torch_on_one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _torch_to_come() -> Iterator[None]:
    """Have torch begin with one thread if it is imported in here: importing it for nothing takes seconds."""
    before = os.environ.get(_OMP)
    os.environ[_OMP] = "1"
    try:
        yield
    finally:
        del os.environ[_OMP]
        if before is not None:
            os.environ[_OMP] = before
        if "torch" in sys.modules:
            import torch

            torch.set_num_threads(_asked(before) or _cores())


def _asked(words: str | None) -> int:
    """Return the number of threads that OpenMP's setting asks for, the first of a list; 0 when it asks for none."""
    first = (words or "").partition(",")[0].strip()
    return int(first) if first.isdecimal() else 0


def _cores() -> int:
    """Return how many threads torch begins with: one per core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
