"""Processes of one run, as ``torchrun`` and ``accelerate`` start them.

Both launchers set the same environment variables. Without them a run is one process, and all of this does nothing.
The first process alone writes, so all of them must see the same files.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

from foleybench.errors import FoleyError

Result = TypeVar("Result")
# The first process decodes the data while the others wait, which may take days.
_PATIENCE = datetime.timedelta(days=30)


@contextlib.contextmanager
def joined(device: str) -> Iterator[str]:
    """Join the processes that a launcher has started, for as long as the context lasts.

    Args:
        device: What was asked for; a bare ``cuda`` becomes the GPU of this process.

    Yields:
        The device of this process.

    Raises:
        FoleyError: There are more processes than GPUs on this machine.
    """
    if launched()[1] <= 1:
        yield device
        return
    import torch
    from torch import distributed

    backend = "gloo"
    if device.startswith("cuda"):
        local, n = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if local >= n:
            raise FoleyError(f"process {local} of this machine has no GPU: there are {n}. Start one process for each.")
        device, backend = f"cuda:{local}", "cpu:gloo,cuda:nccl"
        torch.cuda.set_device(local)
    # Its functions take the group that there is when it is imported as a default, and so keep it for good. Imported in
    # the middle of a run (torch's optimisers do) that is ours: its threads then outlive it, and the interpreter, which
    # ends them with "terminate called without an active exception".
    importlib.import_module("torch.distributed.nn.functional")
    distributed.init_process_group(backend, timeout=_PATIENCE)
    if first():
        sys.stderr.write(f"{world()} processes share every batch ({backend})\n")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def launched() -> tuple[int, int]:
    """Return which process this is and how many there are, as the launcher says it, before any of them is joined."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def world() -> int:
    """Return the number of processes of this run."""
    from torch import distributed

    return distributed.get_world_size() if _together() else 1


def rank() -> int:
    """Return which of them this one is, from 0."""
    from torch import distributed

    return distributed.get_rank() if _together() else 0


def first() -> bool:
    """Return whether this process is the one that writes."""
    return rank() == 0


def agreed(value: bool) -> bool:
    """Return what the first process found, in all of them; so none goes on before the first has come here."""
    if not _together():
        return value
    import torch
    from torch import distributed

    found = torch.tensor([int(value)])  # on the CPU: works with and without GPUs
    distributed.broadcast(found, src=0)
    return bool(found.item())


def after_first(action: Callable[[], Result]) -> Result:
    """Do something in the first process, and then, when its files are there, in the others."""
    if not first():
        agreed(True)
        return action()
    result = action()
    agreed(True)
    return result


def _together() -> bool:
    from torch import distributed

    return distributed.is_available() and distributed.is_initialized()
