"""The Cnn14 of PANNs, its tensors named as in its files."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from foleybench.api.encoder import Encode, Signal
from foleybench.clips import AudioArray
from foleybench.encoders._inputs.batches import batched
from foleybench.encoders._inputs.loading import load_strictly, read_state, with_random_weights
from foleybench.encoders._inputs.spectra import MelGrid, without_dc
from foleybench.encoders._inputs.torchlibrosa import FrozenLogMel
from foleybench.media.audio import fit_length

WIDTHS = (64, 128, 256, 512, 1024, 2048)
N_CLASSES = 527
# Five poolings halve the time axis; fewer frames than this leave none.
MIN_FRAMES = 32


class DoubleConvolution(nn.Module):
    """Two 3x3 convolutions without bias, each with batch statistics and ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.bn2 = nn.BatchNorm2d(after)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, after, T, F) for (B, before, T, F)."""
        maps = functional.relu(self.bn1(self.conv1(maps)))
        return functional.relu(self.bn2(self.conv2(maps)))


class Cnn14(FrozenLogMel):
    """The net, from samples to logits."""

    def __init__(self, grid: MelGrid, widths: Sequence[int] = WIDTHS, n_classes: int = N_CLASSES) -> None:
        super().__init__(grid)
        self.bn0 = nn.BatchNorm2d(grid.n_bands)
        for index, (before, after) in enumerate(itertools.pairwise((1, *widths)), start=1):
            self.add_module(f"conv_block{index}", DoubleConvolution(before, after))
        self.fc1 = nn.Linear(widths[-1], widths[-1])
        self.fc_audioset = nn.Linear(widths[-1], n_classes)
        self._depth = len(widths)

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (B, classes) and embedding (B, width) of audio (B, N)."""
        maps = self.bn0(self.log_mel(audio).transpose(1, 3)).transpose(1, 3)
        for index in range(1, self._depth + 1):
            maps = self.get_submodule(f"conv_block{index}")(maps)
            maps = functional.avg_pool2d(maps, 2) if index < self._depth else maps
        by_time = maps.mean(dim=3)
        pooled = by_time.amax(dim=2) + by_time.mean(dim=2)
        embedding = functional.relu(self.fc1(pooled))
        return self.fc_audioset(embedding), embedding


def new_net(grid: MelGrid, widths: Sequence[int] = WIDTHS) -> Cnn14:
    """Return the net with its true spectrogram and random weights, in evaluation mode."""
    net = with_random_weights(lambda: Cnn14(grid, widths))
    net.set_filters()
    return net


def load_weights(net: Cnn14, path: Path) -> Cnn14:
    """Put the weights of a published file, which keeps them under ``model``, into the net.

    Raises:
        FoleyError: The file does not hold exactly the tensors of this architecture.
    """
    load_strictly(net, read_state(path, inside="model"), path)
    return net


def encode_with(net: Cnn14, device: str) -> Encode:
    """Return the ``encode`` of an encoder: mean of the audio removed, too short audio zero-padded, layers by name."""
    net = net.to(device)
    shortest = (MIN_FRAMES - 1) * net.grid.hop

    def prepared(signal: Signal) -> AudioArray:
        audio = without_dc(signal.audio)
        return fit_length(audio, max(len(audio), shortest))

    return batched(prepared, net, device, layers=("logits", "embedding"))
