"""Define VGGish in torchvggish's layout, without PCA."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from foleybench.api.encoder import Encode, Features, Signal, one_by_one
from foleybench.clips import AudioArray, FloatArray
from foleybench.encoders._inputs.loading import load_whole, with_random_weights

_CHANNELS = (1, 64, 128, 256, 256, 512, 512)
_POOL_AFTER = (0, 1, 3, 5)


class Vggish(nn.Module):
    """Patches (B, 96, 64) to embeddings (B, 128), parameters named as in the official file."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(itertools.pairwise(_CHANNELS)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
            layers += [nn.MaxPool2d(2)] if index in _POOL_AFTER else []
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            *(nn.Linear(512 * 24, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 128))
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Return the embeddings, before the last ReLU."""
        maps = self.features(laid_out(patches[:, None])).to_dense()
        found: Tensor = self.embeddings(maps.permute(0, 2, 3, 1).flatten(1))
        return found


def new_net() -> nn.Module:
    """Return the network with random weights, in evaluation mode."""
    return with_random_weights(Vggish)


def laid_out(patches: Tensor) -> Tensor:
    """Return the patches in oneDNN's own layout on a CPU, which its convolutions then keep from layer to layer.

    The convolutions take this layout in any case; not going back after each one (and writing over what goes into a
    ReLU) saves a third of the time and changes no bit.
    """
    # A tensor in that layout cannot change its type, as a draft's must.
    there: bool = torch.backends.mkldnn.is_available() and not torch.is_autocast_enabled("cpu")  # type: ignore[no-untyped-call]
    return patches.to_mkldnn() if there and patches.device.type == "cpu" and not torch.is_grad_enabled() else patches


def load_weights(path: Path) -> nn.Module:
    """Return the network with the weights of an official file.

    Raises:
        FoleyError: The file does not hold exactly the tensors of this architecture.
    """
    net = load_whole(new_net, path)
    for name, parameter in net.named_parameters():
        # Convolutions in oneDNN's layout assume contiguous weights, which those of a file need not be.
        if name.startswith("features."):
            parameter.data = parameter.data.contiguous()
    return net


def encode_with(net: nn.Module, patches_of: Callable[[AudioArray], FloatArray], device: str) -> Encode:
    """Return the ``encode`` of an encoder that feeds this net.

    Args:
        net: The network.
        patches_of: From the audio (N,) to its patches (T, 96, 64).
        device: Torch device name.
    """
    net = net.to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        patches = patches_of(signal.audio).astype(np.float32)
        if not len(patches):
            return {"frames": np.zeros((0, 128), dtype=np.float32)}
        return {"frames": net(torch.from_numpy(patches).to(device)).float().cpu().numpy()}

    # The ten or so patches of one clip fill a batch.
    return one_by_one(encode_one)
