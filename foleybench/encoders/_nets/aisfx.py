"""Define aiSFX's network, its tensors named as in its file."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foleybench.encoders._inputs.loading import load_strictly, read_safetensors
from foleybench.encoders._nets.aisfx_heads import HEADS
from foleybench.encoders._nets.cnn14 import DoubleConvolution
from foleybench.errors import FoleyError

WIDTH = 64
# Halvings of time and of frequency after each block of convolutions.
_POOLS = (2, 2, 2, 1)


class AisfxTrunk(nn.Module):
    """Four double convolutions; mean over frequency, maximum over time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = (1, width, 2 * width, 4 * width, 8 * width)
        for index in range(1, 5):
            self.add_module(f"conv_block{index}", DoubleConvolution(widths[index - 1], widths[index]))

    def forward(self, blocks: Tensor) -> Tensor:
        """Return (B, 8 width) for (B, T, F)."""
        maps = blocks[:, None]
        for index, size in enumerate(_POOLS, start=1):
            maps = functional.max_pool2d(self.get_submodule(f"conv_block{index}")(maps), size)
        return torch.amax(maps.mean(dim=3), dim=2)


class Aisfx(nn.Module):
    """The trunk and a head of three layers for each library of sounds."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.embedding_net = AisfxTrunk(width)
        self.fc = nn.ModuleList(
            nn.Sequential(
                nn.Linear(8 * width, 4 * width),
                nn.ReLU(),
                nn.Linear(4 * width, 2 * width),
                nn.ReLU(),
                nn.Linear(2 * width, n_classes),
            )
            for _, n_classes in HEADS
        )

    def forward(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Return embeddings (B, blocks, 8 width) and all heads' logits (B, blocks, 378) for (B, blocks, T, F)."""
        embeddings = self.embedding_net(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
        return embeddings, torch.cat([head(embeddings) for head in self.fc], dim=-1)


def load_aisfx(path: Path, width: int = WIDTH) -> Aisfx:
    """Return the network with the weights of a safetensors file.

    Raises:
        FoleyError: The file does not hold exactly the tensors of the network.
    """
    with torch.device("meta"):
        net = Aisfx(width)
    load_strictly(net, read_safetensors(path), path)
    return net


def read_aisfx_checkpoint(path: Path) -> Mapping[str, Tensor]:
    """Return the tensors of the package's checkpoint: a state dict beside a dict of its heads.

    The heads' numbers are numpy's; those three names of numpy are let in, nothing else, and no code is run.

    Raises:
        FoleyError: The checkpoint has other content or other heads.
    """
    plain: list[Any] = [np.dtype, type(np.dtype(np.int64))]
    plain.append((np.float64(0).__reduce__()[0], "numpy.core.multiarray.scalar"))
    try:
        with torch.serialization.safe_globals(plain):
            content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FoleyError(f"the checkpoint of aisfx cannot be read without running code: {reason}.") from error
    if not (isinstance(content, tuple) and len(content) == 2 and all(isinstance(part, Mapping) for part in content)):
        raise FoleyError(f"the checkpoint of aisfx holds a {type(content).__name__}, not weights and heads.")
    state, heads = content
    found = sorted((int(place), str(name), int(size)) for name, (place, size) in heads.items())
    if found != [(place, name, size) for place, (name, size) in enumerate(HEADS)]:
        raise FoleyError(f"the checkpoint of aisfx has other heads: {found}.")
    return dict(state)
