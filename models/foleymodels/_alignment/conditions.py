"""Compute a training set's conditions by a frozen alignment network."""

from __future__ import annotations

import hashlib
from pathlib import Path

from torch import Tensor

from foleymodels._alignment.network import Alignment
from foleymodels._training.conditions import Conditions
from foleymodels._training.decoded_data import TrainingData

# Of what a network makes of long clips; 2: windows whose frames and tokens start together.
_VERSION = 2


def aligned_conditions(alignment: Alignment, data: TrainingData, device: str, folder: Path) -> Conditions:
    """Return the conditions of every token of a data set.

    Args:
        alignment: The trained network; moved to the device.
        data: The clips.
        device: Torch device.
        folder: Where the conditions are kept, see ``Conditions``.
    """
    alignment = alignment.to(device)

    def condition_of(frames: Tensor, n_tokens: int) -> Tensor:
        return alignment.condition(frames[None].to(device), n_tokens)[0]

    return Conditions(data, folder, condition_of, width=alignment.condition_dim, key=_key(alignment, data))


def _key(alignment: Alignment, data: TrainingData) -> str:
    digest = hashlib.sha256(f"{data.folder.name} {_VERSION}".encode())
    for value in alignment.state_dict().values():
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
