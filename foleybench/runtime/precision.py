"""Run networks in float32, or in bfloat16 for a draft.

bfloat16 keeps 8 bits of a number where float32 keeps 24. Products in it take less time where the
processor has instructions for it. Elsewhere they are emulated, which takes longer than float32: there is nothing to
gain, so a draft is refused.
"""

from __future__ import annotations

import contextlib
from typing import Literal

from foleybench.errors import FoleyError

Precision = Literal["float32", "bf16"]
WHOLE: Precision = "float32"
DRAFT: Precision = "bf16"
PRECISIONS: tuple[Precision, ...] = (WHOLE, DRAFT)


def require_precision(precision: Precision, device: str) -> None:
    """Refuse bfloat16 where the device has no instructions for it.

    Args:
        precision: One of ``PRECISIONS``.
        device: Torch device name.

    Raises:
        FoleyError: Says what the device lacks.
    """
    lacks = "" if precision == WHOLE else _lacks(device)
    if lacks:
        raise FoleyError(
            f"precision {precision} is for speed, and {lacks}: here it would take longer than float32. "
            "Leave --precision out, or take another --device."
        )


def networks_in(precision: Precision, device: str) -> contextlib.AbstractContextManager[object]:
    """Return the context in which networks run in a precision; float32 changes nothing.

    Args:
        precision: One of ``PRECISIONS``.
        device: Torch device name.
    """
    if precision == WHOLE:
        return contextlib.nullcontext()
    import torch

    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)


def _lacks(device: str) -> str:
    """Return in words what a device lacks for bfloat16, or ""."""
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        with torch.cuda.device(device):
            there = torch.cuda.is_bf16_supported(including_emulation=False)
        return "" if there else f"{torch.cuda.get_device_name(device)} has no bfloat16 units (compute capability 8.0)"
    if kind != "cpu":
        return f"whether {device} has bfloat16 units is not known (it is for cpu and cuda)"
    has = torch.cpu.get_capabilities()
    # avx512_bf16 and amx_bf16 of x86, bf16 and sve_bf16 of Arm.
    there = any(value is True for name, value in has.items() if name.endswith("bf16"))
    return "" if there else f"this processor ({has.get('cpu_name', 'cpu')}) has none of avx512_bf16, amx_bf16, bf16"
