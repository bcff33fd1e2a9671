"""Compute a training set's conditions once, into a mapped file.

Conditions are mapped, not in memory, because those of all of VGGSound at a large size take tens of gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor

from foleybench.clips import IntArray
from foleybench.files import temporary_beside
from foleybench.runtime import distributed
from foleybench.runtime.progress import Progress
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.transfer import to_device

FrameCondition = Callable[[Tensor, int], Tensor]
_LARGEST_SAMPLE = 1 << 28


class Conditions:
    """The conditions of every token of a data set, laid end to end like the tokens.

    Attributes:
        width: Numbers per token.
        values: Shape (sum of tokens, width) float16.
    """

    def __init__(self, data: TrainingData, folder: Path, condition_of: FrameCondition, *, width: int, key: str) -> None:
        """Compute the conditions, unless an interrupted run has.

        Args:
            data: The clips.
            folder: Where conditions are kept: the run folder, until ``forget_conditions`` is called, or one that runs
                share.
            condition_of: From a clip's frames, as the data holds them, and its number of tokens to its conditions,
                shape (n_tokens, width).
            width: Numbers per token.
            key: Key of the weights and data that decide the conditions.
        """
        self._data, self.width = data, width
        path = folder / f"conditions-{key}.npy"
        if not distributed.agreed(path.is_file()):
            if distributed.first():
                _write(data, condition_of, width, path)
            distributed.agreed(True)
        self.values = torch.from_numpy(np.load(path, mmap_mode="c"))  # copy on write, as torch wants it writable

    def crop(self, indices: Tensor, starts: IntArray, n_tokens: int, device: torch.device | str = "cpu") -> Tensor:
        """Return crops, shape (batch, n_tokens, width) float32.

        Args:
            indices: Clips, shape (batch,).
            starts: Starts of the crops in units of the data, shape (batch,).
            n_tokens: Length of the crops.
            device: Torch device of the crops.
        """
        first = self._data.token_offsets[indices.numpy()] + starts * self._data.settings.unit[1]
        # Indexed, not stacked: a CPU's autocast refuses to stack halves.
        rows = self.values[torch.from_numpy(first[:, None] + np.arange(n_tokens))]
        return to_device(rows, device).float()

    def sample(self) -> Tensor:
        """Return all values in memory, or evenly spread rows of them where they are very many, (n, width) float32."""
        every = -(-self.values.numel() // _LARGEST_SAMPLE)
        return self.values[::every].float()


class NoConditions:
    """The conditions of an unconditional model: one 0 a token."""

    width = 1

    def crop(self, indices: Tensor, starts: IntArray, n_tokens: int, device: torch.device | str = "cpu") -> Tensor:
        """Return zeros, shape (batch, n_tokens, 1)."""
        return torch.zeros(len(indices), n_tokens, 1, device=device)


def forget_conditions(folder: Path) -> None:
    """Remove the conditions of a run, once its checkpoint is written; the first process does."""
    if distributed.first():
        for path in folder.glob("conditions-*.npy"):
            path.unlink()


@torch.inference_mode()
def _write(data: TrainingData, condition_of: FrameCondition, width: int, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    building = temporary_beside(path)  # runs that share the folder may write at once: the same bytes
    values = open_memmap(building, mode="w+", dtype=np.float16, shape=(int(data.token_offsets[-1]), width))
    at = 0
    for frames, n_tokens in Progress(data.videos(), total=len(data), desc="conditions", unit="clip"):
        values[at : at + n_tokens] = condition_of(frames, n_tokens).half().cpu().numpy()
        at += n_tokens
    values.flush()
    del values
    building.replace(path)
