"""Frozen conditions of a training set, computed once: the flow and its 1-step heads read crops of them."""

from __future__ import annotations

import torch
from torch import Tensor

from foleybench.clips import IntArray
from foleymodels._cache import TrainingData
from foleymodels.foleyflow.alignment import Alignment


class Conditions:
    """The conditions of every token of a data set, laid end to end like the tokens.

    Attributes:
        width: Numbers per token.
        values: Shape (sum of tokens, width) float16; None for the unconditional model.
    """

    def __init__(self, alignment: Alignment | None, data: TrainingData, device: str) -> None:
        """Compute them.

        Args:
            alignment: The trained network, or None for the unconditional model.
            data: The clips.
            device: Where to compute.
        """
        self._data = data
        self.width = 1 if alignment is None else alignment.condition_dim
        self.values = None if alignment is None else _all(alignment.to(device), data, device)

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
        return torch.stack([self.values[at : at + n_tokens] for at in first.tolist()]).float()


@torch.inference_mode()
def _all(alignment: Alignment, data: TrainingData, device: str) -> Tensor:
    parts = [
        alignment.condition(frames[None].to(device), n_tokens)[0].half().cpu() for frames, n_tokens in data.pictures()
    ]
    return torch.cat(parts).clone()
