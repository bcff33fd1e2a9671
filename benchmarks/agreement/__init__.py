"""Cases of ``encoder_agreement.py``: one file a family of encoders, each defines ``CASES``."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

Array = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One comparison.

    Attributes:
        encoder: Registry name of ours.
        what: What is compared, in a few words.
        peer: The peer's repository, ``owner/name``; its checkout lies at ``PEERS/owner+name``.
        measure: Takes that checkout; returns (ours, theirs), two arrays of one shape made with the same weights.
        tolerance: Largest allowed absolute difference.
    """

    encoder: str
    what: str
    peer: str
    measure: Callable[[Path], tuple[Array, Array]]
    tolerance: float = 1e-5


@contextlib.contextmanager
def peer_modules(folder: Path, absent: Sequence[str] = ()) -> Iterator[None]:
    """Make a peer's modules importable from ``folder``, and forget them afterwards: many are called ``models``.

    Args:
        folder: Goes first on the import path.
        absent: Modules that the peer imports but that the measured code does not use; dummies stand in for those that
            are not installed.
    """
    before = dict(sys.modules)
    own = {path.stem for path in folder.iterdir() if path.is_dir() or path.suffix == ".py"}
    for name in before:
        if name.partition(".")[0] in own:
            del sys.modules[name]
    absent = [name for name in absent if importlib.util.find_spec(name.partition(".")[0]) is None]
    sys.modules.update({name: MagicMock(__path__=[]) for name in absent})
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - set(before):
            if name in absent or name.partition(".")[0] in own:
                del sys.modules[name]
        sys.modules.update(before)


def random_weights(net: nn.Module, seed: int = 0, scale: float = 1.0) -> nn.Module:
    """Give a net random weights that keep the size of what goes through it, and return it for evaluation.

    Matrices and kernels get standard deviation ``scale / sqrt(fan in)``, variances lie in [0.5, 1.5], scales around 1,
    everything else around 0. Frozen tensors (without gradient, not statistics) are left as they are.
    """
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in net.state_dict(keep_vars=True).items():
            statistic = "running_" in name
            if not tensor.is_floating_point() or not (tensor.requires_grad or statistic):
                continue
            noise = torch.randn(tensor.shape, generator=rng)
            if name.endswith("running_var"):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=rng))
            elif tensor.ndim >= 2:
                tensor.copy_(noise * scale / max(1, tensor[0].numel()) ** 0.5)
            else:
                tensor.copy_(0.1 * noise + float(name.endswith("weight") and not statistic))
    return net.eval()


def two_tones(seconds: float, rate_hz: int) -> Array:
    """Return a steady and a rising tone, shape (seconds * rate,), float32."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.float32(0.5 * np.sin(2 * np.pi * 1000 * t) + 0.25 * np.sin(2 * np.pi * (200 + 300 * t) * t))


def array(tensor: Tensor) -> Array:
    """Return a tensor as float32 numpy."""
    return np.asarray(tensor.detach().cpu().numpy(), dtype=np.float32)
