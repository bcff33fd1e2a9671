"""Frozen conditions of a training set, computed once: the flow and its 1-step heads read crops of them.

They lie in a file that is mapped, not in memory: those of all of VGGSound at a large size take tens of gigabytes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor
from tqdm import tqdm

from foleybench.clips import IntArray
from foleybench.runtime import distributed
from foleymodels._training.decoded_data import TrainingData
from foleymodels.foleyflow.alignment import Alignment

_LARGEST_SAMPLE = 1 << 28


class Conditions:
    """The conditions of every token of a data set, laid end to end like the tokens.

    Attributes:
        alignment: The network that they come from, or None.
        width: Numbers per token.
        values: Shape (sum of tokens, width) float16; None for the unconditional model.
    """

    def __init__(self, alignment: Alignment | None, data: TrainingData, device: str, folder: Path) -> None:
        """Compute them, unless a run that was cut short has.

        Args:
            alignment: The trained network, or None for the unconditional model.
            data: The clips.
            device: Where to compute.
            folder: The run folder, where they are kept until ``forget`` is called.
        """
        self._data = data
        self.alignment = None if alignment is None else alignment.to(device)
        self.width = 1 if alignment is None else alignment.condition_dim
        self.values: Tensor | None = None
        if self.alignment is None:
            return
        path = folder / f"conditions-{_key(self.alignment, data)}.npy"
        if not distributed.agreed(path.is_file()):
            if distributed.first():
                _write(self.alignment, data, device, path)
            distributed.agreed(True)
        self.values = torch.from_numpy(np.load(path, mmap_mode="c"))  # copy on write, as torch wants it writable

    def crop(self, indices: Tensor, starts: IntArray, n_tokens: int) -> Tensor:
        """Return crops, shape (batch, n_tokens, width) float32.

        Args:
            indices: Clips, shape (batch,).
            starts: Where crops start in units of the data, shape (batch,).
            n_tokens: Their length.
        """
        if self.values is None:
            return torch.zeros(len(indices), n_tokens, 1)
        first = self._data.token_offsets[indices.numpy()] + starts * self._data.settings.unit[1]
        return torch.stack([self.values[at : at + n_tokens].float() for at in first.tolist()])

    def sample(self) -> Tensor | None:
        """Return all values in memory, or evenly spread rows of them where they are very many, (n, width) float32."""
        if self.values is None:
            return None
        every = -(-self.values.numel() // _LARGEST_SAMPLE)
        return self.values[::every].float()


def forget(folder: Path) -> None:
    """Remove the conditions of a run, once its checkpoint is written."""
    for path in folder.glob("conditions-*.npy"):
        path.unlink()


def _key(alignment: Alignment, data: TrainingData) -> str:
    """Return what tells apart the conditions of other weights or data."""
    digest = hashlib.sha256(data.folder.name.encode())
    for value in alignment.state_dict().values():
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


@torch.inference_mode()
def _write(alignment: Alignment, data: TrainingData, device: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".{path.name}.tmp")  # one name, so that a run killed here leaves one file at most
    shape = (int(data.token_offsets[-1]), alignment.condition_dim)
    values = open_memmap(building, mode="w+", dtype=np.float16, shape=shape)
    at = 0
    for frames, n_tokens in tqdm(data.pictures(), total=len(data), desc="conditions", unit="clip", disable=None):
        values[at : at + n_tokens] = alignment.condition(frames[None].to(device), n_tokens)[0].half().cpu().numpy()
        at += n_tokens
    values.flush()
    del values
    building.replace(path)
