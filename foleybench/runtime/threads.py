"""Compute on one thread; sums do not depend on cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch and the BLAS of NumPy and SciPy on one thread; clips run in parallel instead.

    A matrix product in two threads adds up in another order, and then differs in its last bits. The number of
    threads depends on the machine and on variables that a process reads only at its start: a variable set later (as
    ``foleybench`` sets ``OPENBLAS_NUM_THREADS``) reaches worker processes but not the process itself.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)
