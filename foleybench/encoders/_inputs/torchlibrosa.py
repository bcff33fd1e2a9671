"""Compute torchlibrosa's log-mel spectrogram as part of a network.

The spectrogram's filters are tensors of the published files that were trained with it. They are used as they lie in the
file, by convolution as torchlibrosa does it, so that features are the peers' to float32 rounding.
"""

from __future__ import annotations

import math

import torch
import torchaudio
from torch import Tensor, nn
from torch.nn import functional

from foleybench.encoders._inputs.spectra import MelGrid


class FrozenLogMel(nn.Module):
    """A net that begins with such a spectrogram; its tensors have torchlibrosa's names.

    Attributes:
        grid: Where the spectrum is sampled; edges are reflected, the Hann window is periodic.
    """

    def __init__(self, grid: MelGrid) -> None:
        super().__init__()
        self.grid = grid
        n_bins = grid.window // 2 + 1
        filters = {
            name: nn.Conv1d(1, n_bins, grid.window, stride=grid.hop, bias=False) for name in ("conv_real", "conv_imag")
        }
        self.spectrogram_extractor = nn.ModuleDict({"stft": nn.ModuleDict(filters)})
        self.logmel_extractor = nn.ParameterDict({"melW": nn.Parameter(torch.zeros(n_bins, grid.n_bands))})

    def log_mel(self, audio: Tensor) -> Tensor:
        """Return the spectrogram in dB, (B, N) to (B, 1, 1 + N // hop, bands), in float32 in a draft, too.

        The rounding of strong bins to 8 bits would drown the weak ones.
        """
        with torch.autocast(audio.device.type, enabled=False):
            return self._log_mel(audio)

    def _log_mel(self, audio: Tensor) -> Tensor:
        half = self.grid.window // 2
        padded = functional.pad(audio[:, None], (half, half), mode="reflect")
        stft = self.get_submodule("spectrogram_extractor.stft")
        power = stft.get_submodule("conv_real")(padded) ** 2 + stft.get_submodule("conv_imag")(padded) ** 2
        mel = power[:, None].transpose(2, 3) @ self.logmel_extractor["melW"]
        return 10.0 * torch.log10(mel.clamp(min=1e-10))

    def set_filters(self) -> None:
        """Give the spectrogram its true filters, and freeze them."""
        with torch.no_grad():
            for name, filters in _filters(self.grid).items():
                self.get_parameter(name).copy_(filters)
        for part in (self.spectrogram_extractor, self.logmel_extractor):
            part.requires_grad_(False)


def _filters(grid: MelGrid) -> dict[str, Tensor]:
    """The tensors of the spectrogram, by name in the state dict."""
    n_bins = grid.window // 2 + 1
    with torch.device("cpu"):
        bins, samples = (torch.arange(n, dtype=torch.float64) for n in (n_bins, grid.window))
        angle = 2 * math.pi / grid.window * (bins[:, None] * samples % grid.window)
        taper = torch.hann_window(grid.window, periodic=True, dtype=torch.float64)
        bands = torchaudio.functional.melscale_fbanks(
            n_bins, grid.low_hz, grid.high_hz, grid.n_bands, grid.rate_hz, norm="slaney", mel_scale="slaney"
        )
    stft = "spectrogram_extractor.stft"
    return {
        f"{stft}.conv_real.weight": (angle.cos() * taper)[:, None].float(),
        f"{stft}.conv_imag.weight": (-angle.sin() * taper)[:, None].float(),
        "logmel_extractor.melW": bands,
    }
