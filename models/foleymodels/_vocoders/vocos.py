"""Define a small trained vocoder after Vocos.

ConvNeXt blocks over mel frames, then an inverse Fourier transform. After Vocos (Siuzdak 2023; gemelo-ai/vocos@c859e3b):
convolution of 7 frames, blocks of a depthwise convolution of 7, a layer norm and two linear layers with GELU and a
learned scale, and a head of magnitude and phase whose inverse transform is the audio. Different here, because this one
is trained for minutes and without a discriminator:

- magnitudes are those of the pseudo-inverse of the mel filters, times the network's factor;
- a phase is the network's plus a carrier that turns at a frequency near the bin's, also from the network, summed over
  frames. Convolutions give steady frames one phase for all, so that a steady tone could only be a multiple of
  rate / hop (62.5 Hz);
- the phases are then made consistent by a few projections, the steps of Griffin-Lim with the network's magnitudes, and
  the network is trained through them: it gives Griffin-Lim its start;
- losses are spectral only (several resolutions, and the mel tokens): no GAN.
"""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.errors import FoleyError
from foleymodels._parts import checkpoint
from foleymodels._parts.blocks import TimeConv
from foleymodels._parts.mel import Mel, MelSettings
from foleymodels._vocoders.stft import analyse, inside, invert_spectrum

KIND = "vocoder"
_WIDTH = 7
# How far a carrier may be from the middle of its bin, in bins: a Hann window's main lobe.
_FARTHEST_BINS = 2.0
_LARGEST_GAIN = 4.0
# Lets the network raise zeros of the pseudo-inverse; far below the mel floor even when a band sums many bins.
_SMALLEST = 1e-6
# Added to a squared magnitude before its root: a phase has no slope at 0.
_EPSILON = 1e-4
_MOMENTUM = 0.99


@dataclasses.dataclass(frozen=True, kw_only=True)
class VocosShape:
    """Size of the network.

    Attributes:
        dim: Width.
        hidden: Width inside a block.
        blocks: Number of blocks.
        projections: Steps that make the phases consistent.
    """

    dim: int = 128
    hidden: int = 384
    blocks: int = 4
    projections: int = 4


class Vocos(nn.Module):
    """Mel tokens to audio."""

    def __init__(self, mel: MelSettings, shape: VocosShape) -> None:
        super().__init__()
        self.mel, self.shape = Mel(mel), shape
        n_bins = mel.n_fft // 2 + 1
        self.enter = TimeConv(mel.n_mels, shape.dim, _WIDTH)
        self.blocks = nn.ModuleList([_ConvNeXtBlock(shape) for _ in range(shape.blocks)])
        self.leave = nn.Linear(shape.dim, 3 * n_bins)
        nn.init.normal_(self.leave.weight, std=0.02)
        nn.init.zeros_(self.leave.weight[:n_bins])  # magnitudes start as the pseudo-inverse's
        nn.init.zeros_(self.leave.bias)
        bins = torch.arange(n_bins, dtype=torch.float32)
        self.register_buffer("turn", bins * mel.hop / mel.n_fft, persistent=False)

    def forward(self, tokens: Tensor, n_samples: int) -> Tensor:
        """Make audio.

        Args:
            tokens: Shape (batch, n_tokens, token_dim).
            n_samples: Wanted length; at most what the tokens cover.

        Returns:
            Shape (batch, n_samples).
        """
        settings = self.mel.settings
        x = F.layer_norm(self.enter(tokens.reshape(len(tokens), -1, settings.n_mels)), (self.shape.dim,))
        for block in self.blocks:
            x = block(x)
        gain, phase, detune = self.leave(F.layer_norm(x, (self.shape.dim,))).chunk(3, dim=-1)
        magnitudes = self._plain(tokens).to(x.device) * torch.exp(_LARGEST_GAIN * torch.tanh(gain))
        spectrum = torch.polar(magnitudes, phase + self._carrier(detune))
        return inside(self.mel, invert_spectrum(self.mel, self._projected(spectrum, magnitudes)), n_samples)

    def _projected(self, spectrum: Tensor, magnitudes: Tensor) -> Tensor:
        """Make the phases consistent by fast Griffin-Lim's steps, which have a slope everywhere here."""
        previous = torch.zeros_like(spectrum)
        for _ in range(self.shape.projections):
            rebuilt = analyse(self.mel, invert_spectrum(self.mel, spectrum))
            moved = rebuilt - previous * (_MOMENTUM / (1 + _MOMENTUM))
            squared = moved.real.square() + moved.imag.square()
            spectrum, previous = moved * (magnitudes * torch.rsqrt(squared + _EPSILON)), rebuilt
        return spectrum

    def _plain(self, tokens: Tensor) -> Tensor:
        """Return pseudo-inverse magnitudes, shape (batch, n_frames, n_bins): 0 in frames with nothing audible."""
        plain = self.mel.magnitudes_from_tokens(tokens.cpu()).transpose(1, 2)
        audible = (plain.amax(-1, keepdim=True) > 0).float()
        return (plain + _SMALLEST * audible) * float(self.mel.window.sum())

    def _carrier(self, detune: Tensor) -> Tensor:
        """Return the phase of each bin's carrier at every frame, in radians, shape (batch, n_frames, n_bins)."""
        assert isinstance(self.turn, Tensor)
        share = self.mel.settings.hop / self.mel.settings.n_fft
        frames = torch.arange(detune.shape[1], device=detune.device, dtype=torch.float32)
        turns = torch.remainder(frames[:, None] * self.turn, 1.0)
        return 2 * torch.pi * (turns + torch.cumsum(_FARTHEST_BINS * torch.tanh(detune) * share, dim=1))


class _ConvNeXtBlock(nn.Module):
    """Depthwise convolution over frames, then two linear layers, added to the input with a learned scale."""

    def __init__(self, shape: VocosShape) -> None:
        super().__init__()
        self.over_time = nn.Conv1d(shape.dim, shape.dim, _WIDTH, padding=_WIDTH // 2, groups=shape.dim)
        self.norm = nn.LayerNorm(shape.dim, eps=1e-6)
        self.widen, self.narrow = nn.Linear(shape.dim, shape.hidden), nn.Linear(shape.hidden, shape.dim)
        self.scale = nn.Parameter(torch.full((shape.dim,), 1.0 / shape.blocks))

    def forward(self, x: Tensor) -> Tensor:
        """Apply to (batch, n_frames, dim)."""
        mixed = self.norm(self.over_time(x.transpose(1, 2)).transpose(1, 2))
        out: Tensor = x + self.scale * self.narrow(F.gelu(self.widen(mixed)))
        return out


def save_vocos(folder: Path, weights: dict[str, Tensor], module: Vocos, origin: dict[str, Any]) -> Path:
    """Write a vocoder's checkpoint: weights, size, its mel settings, and its origin."""
    record = {"mel": dataclasses.asdict(module.mel.settings), "shape": dataclasses.asdict(module.shape)}
    return checkpoint.write_checkpoint(folder, KIND, weights, {**record, "origin": origin})


def load_vocos(folder: Path, mel: MelSettings) -> tuple[Vocos, str]:
    """Read a vocoder for mel tokens of some settings.

    Returns:
        The network, and its name: its size and the start of the hash of its weights.

    Raises:
        FoleyError: The vocoder is missing, does not fit, or was trained for other mel settings.
    """
    tensors, config = checkpoint.read_checkpoint(folder, KIND)
    wanted, has = dataclasses.asdict(mel), config["mel"]
    differ = [f"{key} {has.get(key)} (wanted {wanted[key]})" for key in wanted if has.get(key) != wanted[key]]
    if differ:
        raise FoleyError(
            f"the vocoder in {folder} was trained for other mel settings: {', '.join(differ)}. "
            "Train one with `foleybench train vocoder` at the model's size."
        )
    module = Vocos(mel, VocosShape(**config["shape"]))
    checkpoint.load_into(module, tensors, folder)
    digest = hashlib.sha256((folder / checkpoint.WEIGHTS).read_bytes()).hexdigest()
    return module.eval().requires_grad_(False), _name(module.shape, digest)


def _name(shape: VocosShape, digest: str) -> str:
    return f"vocos, {shape.blocks} blocks of {shape.dim}, {shape.projections} projections, weights {digest[:12]}"
