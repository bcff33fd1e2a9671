"""Join the processes that ``torchrun`` or ``accelerate`` start.

Both launchers set the same environment variables. Without the variables a run is one process, and nothing here has an
effect.
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
        device: The device asked for; a bare ``cuda`` becomes the GPU of this process.

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
    # Functions of torch.distributed.nn bind the default group at import. Imported in the middle of a run (torch's
    # optimisers do) they would hold our group for good: its threads then outlive it, and the interpreter, which ends
    # them with "terminate called without an active exception".
    importlib.import_module("torch.distributed.nn.functional")
    distributed.init_process_group(backend, timeout=_PATIENCE)
    if first():
        sys.stderr.write(f"{world()} processes share every batch ({backend})\n")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def launched() -> tuple[int, int]:
    """Return this process's number and the number of processes from the launcher's variables, before joining."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def world() -> int:
    """Return the number of processes of this run."""
    from torch import distributed

    return distributed.get_world_size() if _together() else 1


def rank() -> int:
    """Return this process's number, from 0."""
    from torch import distributed

    return distributed.get_rank() if _together() else 0


def first() -> bool:
    """Return whether this process is the one that writes."""
    return rank() == 0


def agreed(value: bool) -> bool:
    """Return the first process's value in every process; none goes on before the first has come here."""
    if not _together():
        return value
    import torch
    from torch import distributed

    found = torch.tensor([int(value)])  # on the CPU: works with and without GPUs
    distributed.broadcast(found, src=0)
    return bool(found.item())


def after_first(action: Callable[[], Result]) -> Result:
    """Run the body in the first process, then, when its files exist, in the others."""
    if not first():
        agreed(True)
        return action()
    result = action()
    agreed(True)
    return result


def _together() -> bool:
    from torch import distributed

    return distributed.is_available() and distributed.is_initialized()
