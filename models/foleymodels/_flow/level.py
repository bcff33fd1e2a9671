"""Let a sample's loudness follow what the flow expects.

A sample varies around its expectation, in loudness as in all else; the video tells the loudness better than the sample
keeps it. The first estimate of the data, made from pure noise, is what the condition alone lets expect: its timbre is
a blur, its loudness over time is not. So every mel frame of the sample is made louder or softer by a share of the
difference of the two, in decibels. The loud part of a clip keeps its level.
"""

from __future__ import annotations

import torch
from torch import Tensor

from foleymodels._parts.mel import MelSettings

# So many times the magnitude of a silent band is the level of silence.
_SILENT_BANDS = 3.0
# Factor of magnitude: what is silent in the sample is raised by 20 dB at most, below what is heard.
_MOST_LOUDER = 10.0


def with_level(sampled: Tensor, expected: Tensor, share: float, mel: MelSettings) -> Tensor:
    """Return mel tokens whose loudness over time lies between that of two.

    Args:
        sampled: Mel tokens, shape (batch, n_tokens, token_dim).
        expected: Tokens of the same clips, alike.
        share: How far to go from the level of ``sampled`` to that of ``expected``, 0 to 1.
        mel: The tokens' settings.
    """
    own, wanted = _levels(sampled, mel), _levels(expected, mel)
    gap, weight = wanted - own, 10.0**own
    whole = (gap * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True)
    gain = (share * (gap - whole)).clamp(max=torch.tensor(_MOST_LOUDER).log10().item())
    frames = sampled.reshape(*own.shape, mel.n_mels) + (gain / mel.scale)[..., None]
    return frames.reshape(sampled.shape)


def _levels(tokens: Tensor, mel: MelSettings) -> Tensor:
    """Return log10 of the magnitude of all bands of each frame, shape (batch, n_frames)."""
    logs = tokens.reshape(len(tokens), -1, mel.n_mels) * mel.scale + mel.mean
    heard = (10.0 ** logs.clamp(max=1.0) - mel.floor).clamp_min(0.0)
    return torch.log10(heard.sum(-1) + _SILENT_BANDS * mel.floor)
