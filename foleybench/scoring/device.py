"""Resolve a torch device's name on this machine."""

from __future__ import annotations

from foleybench.errors import FoleyError

AUTO = "auto"


def usable_device(name: str) -> str:
    """Return an available device: for ``auto`` CUDA if available, else the CPU.

    Raises:
        FoleyError: There is no such device; the message names the available ones.
    """
    if name == "cpu":
        return name
    import torch

    if name == AUTO:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type != "cpu":
            torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise FoleyError(
            f"device {name!r} cannot be used: {first} Here: {_here()}; `--device auto` takes it."
        ) from error
    return name


def _here() -> str:
    import torch

    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return "cpu" if not n_gpus else ", ".join(["cpu", *(f"cuda:{k}" for k in range(n_gpus))])
