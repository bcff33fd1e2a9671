"""Turn spectra into audio and back, for the vocoders.

Frames lie on the grid of the mel tokens.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from foleymodels._parts.mel import Mel, MelSettings


@functools.lru_cache(maxsize=8)
def _inverse_norm(settings: MelSettings, n_frames: int) -> Tensor:
    squares = Mel(settings).window.square().expand(1, n_frames, settings.n_fft)
    return 1.0 / _overlap_add(squares, settings.hop).clamp_min(1e-3)


def analyse(mel: Mel, audio: Tensor) -> Tensor:
    """Return the spectrum of audio that ``invert_spectrum`` made, shape (batch, n_frames, n_bins)."""
    frames = audio.unfold(-1, mel.settings.n_fft, mel.settings.hop) * mel.window.to(audio.device)
    spectrum: Tensor = torch.fft.rfft(frames, dim=-1)
    return spectrum


def invert_spectrum(mel: Mel, spectrum: Tensor) -> Tensor:
    """Return the audio nearest to a spectrum of shape (batch, n_frames, n_bins), with its margins.

    Frames lie one after another in memory and are added in whole hops: three times as fast as ``torch.istft``.
    """
    frames = torch.fft.irfft(spectrum, n=mel.settings.n_fft, dim=-1) * mel.window.to(spectrum.device)
    scale = _inverse_norm(mel.settings, spectrum.shape[1]).to(spectrum.device)
    return _overlap_add(frames, mel.settings.hop) * scale


def inside(mel: Mel, audio: Tensor, n_samples: int) -> Tensor:
    """Return the part of ``invert_spectrum``'s audio that tokens cover; the first frame is centred at half a hop."""
    left = (mel.settings.n_fft - mel.settings.hop) // 2
    return audio[:, left : left + n_samples]


def _overlap_add(frames: Tensor, hop: int) -> Tensor:
    """Add frames (batch, n_frames, n_fft) at every hop; ``n_fft`` is a multiple of ``hop``."""
    batch, n_frames, n_fft = frames.shape
    n_parts = n_fft // hop
    parts = frames.reshape(batch, n_frames, n_parts, hop)
    out = frames.new_zeros(batch, n_frames + n_parts - 1, hop)
    for part in range(n_parts):
        out[:, part : part + n_frames] += parts[:, :, part]
    return out.reshape(batch, -1)
