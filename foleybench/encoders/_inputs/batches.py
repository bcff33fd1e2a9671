"""Run a network over many clips, each independent of its neighbours.

No neighbour can change a bit of a clip's features. On a CPU inputs go through one by one. On a GPU they go in batches
of a fixed size, filled up with zeros: there the choice of a kernel depends on the shape of the batch, so the shape must
not depend on the number of clips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from foleybench.api.encoder import Encode, Features, Signal

Array = npt.NDArray[Any]
Row = tuple[Array, ...]
Run = Callable[[Tensor], tuple[Tensor, ...]]
GPU_BATCH = 16


def batched(
    prepared: Callable[[Signal], Array],
    run: Run,
    device: str,
    *,
    layers: tuple[str, ...] = ("embedding",),
    gpu_batch: int = GPU_BATCH,
) -> Encode:
    """Return the ``encode`` of an encoder that feeds a net one array a clip.

    Args:
        prepared: From a clip to the net's input.
        run: As in ``in_batches``.
        device: Torch device name.
        layers: Names of the tensors that ``run`` returns.
        gpu_batch: Size of a batch on a GPU.
    """

    def encode(signals: Sequence[Signal]) -> list[Features]:
        rows = in_batches([prepared(signal) for signal in signals], run, device, gpu_batch=gpu_batch)
        return [dict(zip(layers, row, strict=True)) for row in rows]

    return encode


@torch.inference_mode()
def in_batches(
    inputs: Sequence[Array],
    run: Run,
    device: str,
    *,
    gpu_batch: int = GPU_BATCH,
) -> list[Row]:
    """Run a net over inputs.

    Args:
        inputs: One array a clip; shapes may differ, only inputs of one shape share a batch.
        run: Takes a batch (B, ...) on the device; returns a tuple of tensors (B, ...).
        device: Torch device name.
        gpu_batch: Size of a batch on a GPU.

    Returns:
        For each input the rows of all tensors, in the order of ``inputs``.
    """
    size = 1 if torch.device(device).type == "cpu" else gpu_batch
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for index, item in enumerate(inputs):
        by_shape.setdefault(item.shape, []).append(index)
    rows: dict[int, Row] = {}
    for shape, indices in by_shape.items():
        for start in range(0, len(indices), size):
            chosen = indices[start : start + size]
            batch = np.zeros((size, *shape), dtype=inputs[chosen[0]].dtype)
            for place, index in enumerate(chosen):
                batch[place] = inputs[index]
            found = [tensor.float().cpu().numpy() for tensor in run(torch.from_numpy(batch).to(device))]
            rows |= {index: tuple(array[place].copy() for array in found) for place, index in enumerate(chosen)}
    return [rows[index] for index in range(len(inputs))]
