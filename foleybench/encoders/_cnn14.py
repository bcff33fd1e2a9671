"""Cnn14 of the PANNs, in the layout of the published checkpoints: frozen spectrogram, six double convolutions, a head.

The spectrogram's filters (windowed sines and cosines, mel bands) are tensors of the file and are used as they lie
there, by convolution as torchlibrosa does it, so that the features are those of the peers to float32 rounding.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import torch
import torchaudio
from torch import Tensor, nn
from torch.nn import functional

from foleybench.encoders import Encode, Features, Signal
from foleybench.encoders._batches import in_batches
from foleybench.encoders._loading import load_strictly, read_state
from foleybench.encoders._spectra import without_dc
from foleybench.sound import fit_length

N_BANDS = 64
WIDTHS = (64, 128, 256, 512, 1024, 2048)
N_CLASSES = 527
# Five poolings halve the time axis; fewer frames than this leave none.
MIN_FRAMES = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the spectrum is sampled.

    Attributes:
        rate_hz: Sample rate.
        window: Length of the periodic Hann window and of the transform, in samples.
        hop: Samples from one frame to the next; frame ``k`` is centred on sample ``k * hop``, edges are reflected.
        low_hz: Lower edge of the lowest of 64 mel bands.
        high_hz: Upper edge of the highest.
    """

    rate_hz: int
    window: int
    hop: int
    low_hz: float
    high_hz: float

    @property
    def min_samples(self) -> int:
        """Samples of the shortest sound that the net can take."""
        return (MIN_FRAMES - 1) * self.hop


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


class Cnn14(nn.Module):
    """The net, from samples to logits.

    Attributes:
        grid: Where the spectrum is sampled.
    """

    def __init__(self, grid: Grid, widths: Sequence[int] = WIDTHS, n_classes: int = N_CLASSES) -> None:
        super().__init__()
        self.grid = grid
        n_bins = grid.window // 2 + 1
        filters = {
            name: nn.Conv1d(1, n_bins, grid.window, stride=grid.hop, bias=False) for name in ("conv_real", "conv_imag")
        }
        self.spectrogram_extractor = nn.ModuleDict({"stft": nn.ModuleDict(filters)})
        self.logmel_extractor = nn.ParameterDict({"melW": nn.Parameter(torch.zeros(n_bins, N_BANDS))})
        self.bn0 = nn.BatchNorm2d(N_BANDS)
        for index, (before, after) in enumerate(itertools.pairwise((1, *widths)), start=1):
            self.add_module(f"conv_block{index}", DoubleConvolution(before, after))
        self.fc1 = nn.Linear(widths[-1], widths[-1])
        self.fc_audioset = nn.Linear(widths[-1], n_classes)
        self._depth = len(widths)

    def log_mel(self, audio: Tensor) -> Tensor:
        """Return the spectrogram in dB, (B, N) to (B, 1, 1 + N // hop, 64)."""
        half = self.grid.window // 2
        padded = functional.pad(audio[:, None], (half, half), mode="reflect")
        stft = self.get_submodule("spectrogram_extractor.stft")
        power = stft.get_submodule("conv_real")(padded) ** 2 + stft.get_submodule("conv_imag")(padded) ** 2
        mel = power[:, None].transpose(2, 3) @ self.logmel_extractor["melW"]
        return 10.0 * torch.log10(mel.clamp(min=1e-10))

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (B, classes) and embedding (B, width) of sounds (B, N)."""
        maps = self.bn0(self.log_mel(audio).transpose(1, 3)).transpose(1, 3)
        for index in range(1, self._depth + 1):
            maps = self.get_submodule(f"conv_block{index}")(maps)
            maps = functional.avg_pool2d(maps, 2) if index < self._depth else maps
        by_time = maps.mean(dim=3)
        pooled = by_time.amax(dim=2) + by_time.mean(dim=2)
        embedding = functional.relu(self.fc1(pooled))
        return self.fc_audioset(embedding), embedding


def new_net(grid: Grid, widths: Sequence[int] = WIDTHS) -> Cnn14:
    """Return the net with its true spectrogram and random weights; torch's global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        net = Cnn14(grid, widths)
    with torch.no_grad():
        for name, filters in _filters(grid).items():
            net.get_parameter(name).copy_(filters)
    for part in (net.spectrogram_extractor, net.logmel_extractor):
        part.requires_grad_(False)
    return net.eval()


def _filters(grid: Grid) -> dict[str, Tensor]:
    """The tensors of the spectrogram, by name in the state dict."""
    n_bins = grid.window // 2 + 1
    with torch.device("cpu"):
        bins, samples = (torch.arange(n, dtype=torch.float64) for n in (n_bins, grid.window))
        angle = 2 * math.pi / grid.window * (bins[:, None] * samples % grid.window)
        taper = torch.hann_window(grid.window, periodic=True, dtype=torch.float64)
        bands = torchaudio.functional.melscale_fbanks(
            n_bins, grid.low_hz, grid.high_hz, N_BANDS, grid.rate_hz, norm="slaney", mel_scale="slaney"
        )
    stft = "spectrogram_extractor.stft"
    return {
        f"{stft}.conv_real.weight": (angle.cos() * taper)[:, None].float(),
        f"{stft}.conv_imag.weight": (-angle.sin() * taper)[:, None].float(),
        "logmel_extractor.melW": bands,
    }


def load(net: Cnn14, path: Path) -> Cnn14:
    """Put the weights of a published file, which keeps them under ``model``, into the net.

    Raises:
        FoleyError: The file does not hold exactly the tensors of this architecture.
    """
    load_strictly(net, read_state(path, inside="model"), path)
    return net


def encode_with(net: Cnn14, device: str) -> Encode:
    """Return the ``encode`` of an encoder: mean of the sound removed, too short sounds zero-padded, layers by name."""
    net = net.to(device)

    def encode(signals: Sequence[Signal]) -> list[Features]:
        sounds = [without_dc(signal.audio) for signal in signals]
        rows = in_batches([fit_length(sound, max(len(sound), net.grid.min_samples)) for sound in sounds], net, device)
        return [{"logits": logits, "embedding": embedding} for logits, embedding in rows]

    return encode
