"""Turn audio into log-mel tokens, and these back into magnitudes.

Frame ``k`` is centred at ``(k + 0.5) * hop`` samples, so frames and tokens tile the clip: token ``i`` covers samples
``[i, i + 1) * frames_per_token * hop`` whatever the length of the clip.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from foleybench.clips import FloatArray

# What is not this many times as strong as the floor is taken for silence.
AUDIBLE = 1.2


@dataclasses.dataclass(frozen=True, kw_only=True)
class MelSettings:
    """The settings of mel tokens.

    Attributes:
        rate_hz: Sample rate.
        n_fft: FFT length in samples, a multiple of the hop.
        hop: Samples between frames.
        window: Length of the Hann window in samples, centred in the FFT; 0 is the FFT's own length.
        n_mels: Mel bands between 0 Hz and half the rate.
        frames_per_token: Mel frames in a token.
        floor: Smallest magnitude above silence (log10 is clamped there).
        mean: Subtracted from log10 magnitudes.
        scale: Divides them afterwards.
    """

    rate_hz: int = 16000
    n_fft: int = 1024
    hop: int = 256
    window: int = 0
    n_mels: int = 64
    frames_per_token: int = 2
    floor: float = 3e-4
    mean: float = -2.75
    scale: float = 0.75

    @property
    def token_hz(self) -> float:
        """Tokens per second."""
        return self.rate_hz / (self.hop * self.frames_per_token)

    @property
    def token_dim(self) -> int:
        """Numbers in a token."""
        return self.n_mels * self.frames_per_token

    def n_tokens(self, n_samples: int) -> int:
        """Return how many tokens cover ``n_samples`` (rounded up, at least one)."""
        return max(1, -(-n_samples // (self.hop * self.frames_per_token)))

    def token_times_s(self, n_tokens: int) -> Tensor:
        """Return the centres of the tokens in seconds, shape (n_tokens,), float32."""
        return (torch.arange(n_tokens, dtype=torch.float32) + 0.5) / self.token_hz


def mel_filters(settings: MelSettings) -> FloatArray:
    """Return triangular filters of unit peak, evenly spaced on the HTK mel scale, shape (n_mels, n_fft // 2 + 1)."""
    top = 2595.0 * np.log10(1.0 + settings.rate_hz / 2 / 700.0)
    edges_hz = 700.0 * (10.0 ** (np.linspace(0.0, top, settings.n_mels + 2) / 2595.0) - 1.0)
    bins_hz = np.linspace(0.0, settings.rate_hz / 2, settings.n_fft // 2 + 1)
    rising = (bins_hz[None] - edges_hz[:-2, None]) / (edges_hz[1:-1] - edges_hz[:-2])[:, None]
    falling = (edges_hz[2:, None] - bins_hz[None]) / (edges_hz[2:] - edges_hz[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rising, falling))


class Mel:
    """Log-mel tokens of audio, and magnitudes from tokens, for one setting."""

    def __init__(self, settings: MelSettings) -> None:
        self.settings = settings
        filters, inverse, window = _tables(settings)
        self._filters, self._inverse, self.window = filters, inverse, window

    def tokens(self, audio: Tensor) -> Tensor:
        """Return the normalised tokens of audio.

        Args:
            audio: Shape (batch, n_samples), at the setting's rate.

        Returns:
            Shape (batch, n_tokens, token_dim); the last token is completed with zeros.
        """
        mel = self.magnitudes(audio).transpose(1, 2) @ self._filters.T
        scaled = (torch.log10(mel.clamp_min(self.settings.floor)) - self.settings.mean) / self.settings.scale
        return scaled.reshape(len(audio), -1, self.settings.token_dim)

    def magnitudes(self, audio: Tensor) -> Tensor:
        """Return the magnitude spectrogram, window-normalised so a full-scale sine peaks near 0.5.

        Args:
            audio: Shape (batch, n_samples).

        Returns:
            Shape (batch, n_fft // 2 + 1, n_frames).
        """
        settings = self.settings
        n_frames = settings.n_tokens(audio.shape[-1]) * settings.frames_per_token
        left = (settings.n_fft - settings.hop) // 2
        right = (n_frames - 1) * settings.hop + settings.n_fft - left - audio.shape[-1]
        padded = F.pad(audio, (left, right))
        spectrum = torch.stft(
            padded, settings.n_fft, settings.hop, window=self.window, center=False, return_complex=True
        )
        return spectrum.abs() / float(self.window.sum())

    def magnitudes_from_tokens(self, tokens: Tensor) -> Tensor:
        """Return magnitudes that have about the given log-mel tokens (pseudo-inverse of the filters, clipped at 0).

        Args:
            tokens: Shape (batch, n_tokens, token_dim).

        Returns:
            Shape (batch, n_fft // 2 + 1, n_frames).
        """
        settings = self.settings
        logs = tokens.reshape(len(tokens), -1, settings.n_mels) * settings.scale + settings.mean
        mel = 10.0 ** logs.clamp(max=1.0)
        audible = torch.where(mel > settings.floor * AUDIBLE, mel, torch.zeros_like(mel))
        return (audible @ self._inverse.T).clamp_min(0.0).transpose(1, 2)


@functools.lru_cache(maxsize=8)
def _tables(settings: MelSettings) -> tuple[Tensor, Tensor, Tensor]:
    filters = mel_filters(settings)
    inverse = np.linalg.pinv(filters)
    length = settings.window or settings.n_fft
    before = (settings.n_fft - length) // 2
    window = F.pad(torch.hann_window(length, device="cpu"), (before, settings.n_fft - length - before))
    return torch.from_numpy(filters).float(), torch.from_numpy(inverse).float(), window
