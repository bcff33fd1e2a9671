"""Rebuild masked audio from video: video-audio masking alignment (Eq. 4).

Foley-Flow's own objective (section 3.2). Eq. 4 is L = || F_mask - F^_mask(F^v, F_unmask) ||^2. Whole segments of time
are masked before any encoding, so no part of them leaks through attention. The target is fixed (the mel token, or a
feature of a frozen encoder) without gradient, so the network cannot lower the loss by collapsing the target.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from foleymodels._alignment import rhythm
from foleymodels._alignment.masks import both_masked, draw_mask, masked_count
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.objective import Draw, Objective
from foleymodels._training.data_parallel import share
from foleymodels._training.loop import Losses
from foleymodels._training.transfer import to_device


class VamaObjective(Objective):
    """Eq. 4 on masked segments, the same on changes in time, and the attacks of the masked audio."""

    def __init__(self, alignment: Alignment, *, full_mask: bool = False) -> None:
        """Take the network; ``full_mask`` masks all audio, as it is at generation."""
        super().__init__(alignment)
        self._full_mask = full_mask
        self.attacks = nn.Linear(self.settings.vama_dim, rhythm.N_GROUPS + 1)

    def forward(self, draw: Draw, generator: torch.Generator) -> Losses:
        """Return ``loss`` and its parts."""
        settings, device, mel = self.settings, self.device, self.alignment.signal.mel
        n_tokens = self.n_tokens
        frames = to_device(draw.frames(self.n_frames), device)
        tokens = draw.tokens(n_tokens, device=device)
        among = draw_mask(settings, mel.token_hz, len(tokens) * share().of, n_tokens, generator).to(device)
        among = torch.ones_like(among) if self._full_mask else among
        mask = share().rows(among)
        predicted, state, _ = self.alignment(frames, tokens, mask, n_tokens)
        given = draw.targets(n_tokens)
        target = self.alignment.target(tokens) if given is None else given.to(device)
        per_frame = mel.n_mels if settings.audio_target == "mel" else settings.target_dim(mel)
        found = {
            "masked": masked_error(predicted, target, mask, among),
            "change": masked_change_error(predicted, target, mask, per_frame, among),
            "attack": rhythm.attack_error(self.attacks(state), rhythm.attacks(tokens, mel), mask, among),
        }
        if settings.audio_target == "mel":
            found["level"] = rhythm.level_error(predicted, tokens, mask, mel, among)
        weights = {
            "masked": 1.0,
            "change": settings.change_weight,
            "attack": settings.attack_weight,
            "level": settings.level_weight,
        }
        return {"loss": torch.stack([weights[name] * value for name, value in found.items()]).sum(), **found}


def masked_error(predicted: Tensor, tokens: Tensor, mask: Tensor, among: Tensor | None = None) -> Tensor:
    """Return the mean squared error over masked tokens (Eq. 4).

    Args:
        predicted: Shape (batch, n_tokens, dim).
        tokens: Wanted, same shape.
        mask: Shape (batch, n_tokens).
        among: The mask of the whole batch where this is a share of one; the mean of the shares' values is then its own.
    """
    errors = (predicted - tokens) ** 2 * mask.to(tokens.dtype)[..., None]
    return errors.sum() / (masked_count(mask, among) * tokens.shape[-1]).clamp_min(1.0)


def masked_change_error(
    predicted: Tensor, tokens: Tensor, mask: Tensor, n_mels: int, among: Tensor | None = None
) -> Tensor:
    """Return the mean squared error of the change from mel frame to mel frame where both are masked.

    Most of Eq. 4's error is in the timbre of a clip; this part is in the times of starts and stops.
    """
    error = (predicted - tokens).reshape(len(tokens), -1, n_mels).diff(dim=1)
    per_token = tokens.shape[-1] // n_mels
    weights = both_masked(mask, per_token)
    count = masked_count(weights, None if among is None else both_masked(among, per_token))
    return (error**2 * weights.to(tokens.dtype)[..., None]).sum() / (count * n_mels).clamp_min(1.0)
