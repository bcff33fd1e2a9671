"""Score when sound starts and swells, apart from its timbre.

Most of Eq. 4's error is in timbre, which video tells least: without these two parts timing comes late (measured in the
model card of ``foleyflow``). Both are made of the mel tokens themselves, without labels or events.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from foleymodels._alignment.masks import both_masked, masked_count
from foleymodels._parts.mel import MelSettings

N_GROUPS = 8
# Rise that counts as half an attack, in normalised log10 magnitude: 0.5 * 0.75 decades are 7.5 dB.
_HALF_RISE = 0.5
_LAGS_S = ((0.064, 1.0), (0.256, 0.5))


def attacks(tokens: Tensor, mel: MelSettings) -> Tensor:
    """Return how strongly something starts in each token.

    A mel band rises by what it is above the louder of the two frames before it. Rises are averaged over groups of bands
    and over all bands, the larger of a token's frames is taken, and r becomes r / (r + 0.5).

    Args:
        tokens: Shape (batch, n, token_dim).
        mel: Their settings.

    Returns:
        Shape (batch, n, 9), 0 to 1: the groups from low to high, then all bands.
    """
    frames = tokens.reshape(len(tokens), -1, mel.n_mels)
    n = frames.shape[1]
    padded = torch.cat([frames[:, :1], frames[:, :1], frames], dim=1)
    rise = (frames - torch.maximum(padded[:, :n], padded[:, 1 : n + 1])).clamp_min(0.0)
    groups: Tensor = torch.cat([F.adaptive_avg_pool1d(rise, N_GROUPS), rise.mean(-1, keepdim=True)], dim=-1)
    strongest = groups.reshape(len(groups), -1, mel.frames_per_token, N_GROUPS + 1).amax(2)
    return strongest / (strongest + _HALF_RISE)


def attack_error(logits: Tensor, wanted: Tensor, mask: Tensor, among: Tensor | None = None) -> Tensor:
    """Return the cross-entropy of attacks over that of a perfect guess, which is 0 where they agree.

    Args:
        logits: Shape (batch, n, 9).
        wanted: From ``attacks``.
        mask: Which tokens count, shape (batch, n).
        among: The mask of the whole batch where this is a share of one.
    """
    error = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    # Entropies: ``binary_cross_entropy`` of probabilities is refused under autocast on a GPU.
    least = torch.special.entr(wanted) + torch.special.entr(1.0 - wanted)
    total: Tensor = ((error - least).mean(-1) * mask.to(error.dtype)).sum()
    return total / masked_count(mask, among).clamp_min(1.0)


def level_error(
    predicted: Tensor, tokens: Tensor, mask: Tensor, mel: MelSettings, among: Tensor | None = None
) -> Tensor:
    """Return the squared error of the change of loudness over 64 ms, and half of that over 256 ms.

    Loudness is the mean over the mel bands of a frame. Both frames of a change must be masked.

    Args:
        predicted: Shape (batch, n, token_dim).
        tokens: Wanted, same shape.
        mask: Shape (batch, n).
        mel: Settings of the tokens.
        among: The mask of the whole batch where this is a share of one.
    """
    error = (predicted - tokens).reshape(len(tokens), -1, mel.n_mels).mean(-1)
    total = error.new_zeros(())
    for lag_s, weight in _LAGS_S:
        lag = max(1, round(lag_s * mel.rate_hz / mel.hop))
        both = both_masked(mask, mel.frames_per_token, lag)
        count = masked_count(both, None if among is None else both_masked(among, mel.frames_per_token, lag))
        change = (error[:, lag:] - error[:, :-lag]).square() * both.to(error.dtype)
        total = total + weight * change.sum() / count.clamp_min(1.0)
    return total
