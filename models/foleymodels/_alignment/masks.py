"""Draw masks of audio tokens, and count what they hide."""

from __future__ import annotations

import torch
from torch import Tensor

from foleymodels._alignment.settings import AlignmentSettings


def draw_mask(
    settings: AlignmentSettings, token_hz: float, batch: int, n_tokens: int, generator: torch.Generator
) -> Tensor:
    """Draw which tokens are masked: whole segments, an exact share of them, or all.

    Returns:
        Shape (batch, n_tokens), True where masked.
    """
    per_segment = max(1, round(settings.segment_s * token_hz))
    n_segments = -(-n_tokens // per_segment)
    ranks = torch.rand(batch, n_segments, generator=generator).argsort(dim=1).argsort(dim=1)
    masked = ranks < max(1, round(settings.mask_ratio * n_segments))
    whole = torch.rand(batch, 1, generator=generator) < settings.full_mask_p
    return (masked | whole).repeat_interleave(per_segment, dim=1)[:, :n_tokens]


def both_masked(mask: Tensor, per_token: int, lag: int = 1) -> Tensor:
    """Return which mel frames are masked like the one ``lag`` frames before, shape (batch, n * per_token - lag).

    Args:
        mask: Masked tokens, shape (batch, n).
        per_token: Mel frames in a token.
        lag: Mel frames.
    """
    frames = mask.repeat_interleave(per_token, dim=1)
    return frames[:, lag:] & frames[:, :-lag]


def masked_count(mask: Tensor, among: Tensor | None) -> Tensor:
    """Return the number of masked tokens or frames; in a share of a batch, the average over all shares."""
    return mask.sum().float() if among is None else among.sum().float() * (len(mask) / len(among))
