"""Let a sample's loudness follow what the flow expects.

A sample varies around its expectation, in loudness as in all else; the video tells the loudness better than the sample
keeps it. The first estimate of the data, made from pure noise, is what the condition alone lets expect: its timbre is
a blur, its loudness over time is not. So every mel frame of the sample is made louder or softer by a share of the
difference of the two, in decibels. The loudest frame of a clip stays as loud as it was, and what is silent stays
silent.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from foleymodels._parts.mel import AUDIBLE, MelSettings

# The level of silence is that of so many bands at the floor.
_SILENT_BANDS = 3.0
# 6 dB: a frame that was sampled soft is mostly noise, which does not become a sound by being loud.
_MOST_GAIN = math.log10(2.0)


def with_level(sampled: Tensor, expected: Tensor, share: float, mel: MelSettings) -> Tensor:
    """Return mel tokens whose loudness over time lies between that of two.

    Args:
        sampled: Mel tokens, shape (batch, n_tokens, token_dim).
        expected: Tokens of the same clips, alike.
        share: How far to go from the level of ``sampled`` to that of ``expected``, 0 to 1.
        mel: The tokens' settings.
    """
    frames = sampled.reshape(len(sampled), -1, mel.n_mels)
    own, wanted = _levels(frames, mel), _levels(expected.reshape(frames.shape), mel)
    followed = own + share * (wanted - own)
    gain = followed - own - followed.amax(1, keepdim=True) + own.amax(1, keepdim=True)
    raised = frames + (gain.clamp(max=_MOST_GAIN) / mel.scale)[..., None]
    silent = frames <= (math.log10(AUDIBLE * mel.floor) - mel.mean) / mel.scale
    return torch.where(silent, frames, raised).reshape(sampled.shape)


def _levels(frames: Tensor, mel: MelSettings) -> Tensor:
    """Return log10 of the magnitude of all bands of each frame (batch, n_frames, n_mels), shape (batch, n_frames)."""
    logs = frames * mel.scale + mel.mean
    heard = (10.0 ** logs.clamp(max=1.0) - mel.floor).clamp_min(0.0)
    return torch.log10(heard.sum(-1) + _SILENT_BANDS * mel.floor)
