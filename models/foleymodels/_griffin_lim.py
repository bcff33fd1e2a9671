"""Magnitudes to a waveform with no trained part: fast Griffin-Lim with a fixed starting phase.

Source: Perraudin, Balazs, Sondergaard 2013, "A fast Griffin-Lim algorithm" (acceleration 0.99).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from foleymodels._mel import Mel

_PHASE_SEED = 20260308


def griffin_lim(mel: Mel, tokens: Tensor, n_samples: int, *, iterations: int, momentum: float = 0.99) -> Tensor:
    """Turn log-mel tokens into sound.

    Args:
        mel: The mel transform that the tokens follow.
        tokens: Shape (batch, n_tokens, token_dim).
        n_samples: Wanted length; at most what the tokens cover.
        iterations: Number of projections; each costs one STFT and one inverse.
        momentum: Acceleration; 0 is the classic algorithm.

    Returns:
        Shape (batch, n_samples), float32; the same tokens always give the same sound.
    """
    magnitudes = mel.magnitudes_from_tokens(tokens) * float(mel.window.sum())
    spectrum = magnitudes * _starting_phase(magnitudes.shape)
    previous = torch.zeros_like(spectrum)
    for _ in range(iterations):
        rebuilt = _analyse(mel, _synthesise(mel, spectrum))
        accelerated = rebuilt - previous * (momentum / (1 + momentum))
        spectrum = magnitudes * accelerated / accelerated.abs().clamp_min(1e-12)
        previous = rebuilt
    left = (mel.settings.n_fft - mel.settings.hop) // 2
    return _synthesise(mel, spectrum)[:, left : left + n_samples]


def _starting_phase(shape: torch.Size) -> Tensor:
    generator = torch.Generator().manual_seed(_PHASE_SEED)
    angles = torch.rand(shape[1:], generator=generator) * (2 * torch.pi)
    return torch.polar(torch.ones_like(angles), angles)


def _analyse(mel: Mel, audio: Tensor) -> Tensor:
    settings = mel.settings
    spectrum: Tensor = torch.stft(
        audio, settings.n_fft, settings.hop, window=mel.window, center=False, return_complex=True
    )
    return spectrum


def _synthesise(mel: Mel, spectrum: Tensor) -> Tensor:
    """Overlap-add with the squared-window norm; ``torch.istft`` refuses windows that end on zero without centring."""
    settings = mel.settings
    frames = torch.fft.irfft(spectrum, n=settings.n_fft, dim=1) * mel.window[None, :, None]
    n_frames = spectrum.shape[-1]
    length = settings.n_fft + settings.hop * (n_frames - 1)
    added = _overlap_add(frames, length, settings.hop)
    squares = (mel.window**2)[None, :, None].expand(1, -1, n_frames)
    norm = _overlap_add(squares, length, settings.hop)
    return added / norm.clamp_min(1e-3)


def _overlap_add(frames: Tensor, length: int, hop: int) -> Tensor:
    folded = F.fold(frames, (1, length), (1, frames.shape[1]), stride=(1, hop))
    return folded[:, 0, 0]
