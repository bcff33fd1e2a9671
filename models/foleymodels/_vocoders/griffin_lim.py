"""Turn magnitudes into a waveform by fast Griffin-Lim.

The algorithm has no trained part, and a fixed starting phase. Source: Perraudin, Balazs, Sondergaard 2013, "A fast
Griffin-Lim algorithm" (acceleration 0.99).
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from foleymodels._parts.mel import Mel
from foleymodels._vocoders.stft import analyse, inside, invert_spectrum

_PHASE_SEED = 20260308
_MOMENTUM = 0.99
_TINY = 1e-12


def griffin_lim(mel: Mel, tokens: Tensor, n_samples: int, *, iterations: int) -> Tensor:
    """Turn log-mel tokens into audio.

    Args:
        mel: The mel transform that the tokens follow.
        tokens: Shape (batch, n_tokens, token_dim).
        n_samples: Wanted length; at most what the tokens cover.
        iterations: Number of projections; each costs one transform there and back.

    Returns:
        Shape (batch, n_samples), float32; the same tokens always give the same audio.
    """
    magnitudes = mel.magnitudes_from_tokens(tokens).transpose(1, 2).contiguous() * float(mel.window.sum())
    spectrum = magnitudes * _starting_phase(magnitudes.shape[1], magnitudes.shape[2])
    previous = torch.zeros_like(spectrum)
    for _ in range(iterations):
        rebuilt = analyse(mel, invert_spectrum(mel, spectrum))
        accelerated = torch.add(rebuilt, previous, alpha=-_MOMENTUM / (1 + _MOMENTUM))
        spectrum = accelerated * (magnitudes / accelerated.abs().clamp_min(_TINY))
        previous = rebuilt
    return inside(mel, invert_spectrum(mel, spectrum), n_samples)


@functools.lru_cache(maxsize=8)
def _starting_phase(n_frames: int, n_bins: int) -> Tensor:
    generator = torch.Generator().manual_seed(_PHASE_SEED)
    angles = torch.rand((n_frames, n_bins), generator=generator) * (2 * torch.pi)
    return torch.polar(torch.ones_like(angles), angles)
