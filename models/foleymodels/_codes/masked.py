"""Fill masked codes in a few steps, the surest first.

Sources: Chang et al. 2022, "MaskGIT", section 3.2 and its code (cosine schedule, confidence with annealed Gumbel
noise); DragonLiu1995/video-to-audio-through-text@c8e51be vatt/vt2a (the same for codes of several levels).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import torch
from torch import Tensor

from foleybench.api.model import require_usable
from foleybench.errors import FoleyError
from foleymodels._parts.code_sampling import LARGEST_LOGIT, CodeSampling, draw_codes, probabilities
from foleymodels._parts.draws import Draws

Predict = Callable[[Tensor], Tensor]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unmasking:
    """The settings of filling masked codes.

    Attributes:
        steps: Evaluations of the network.
        noise: Factor of the Gumbel noise on the log-probabilities that rank the codes; it falls to 0 linearly.
        codes: How codes are drawn.
    """

    steps: int = 16
    noise: float = 4.5
    codes: CodeSampling = dataclasses.field(default_factory=CodeSampling)

    def __post_init__(self) -> None:
        """Refuse a number of steps without a meaning.

        Raises:
            FoleyError: There is no step.
        """
        if self.steps < 1:
            raise FoleyError(f"{self.steps} steps of masked decoding were asked for; at least 1 is wanted.")


def still_masked(n_masked: Tensor, now: Tensor, step: int, steps: int) -> Tensor:
    """Return how many codes stay masked after a step.

    Args:
        n_masked: Masked codes at the start, shape (batch,) int64.
        now: Masked codes before the step, shape (batch,).
        step: Number of the step, from 0.
        steps: All steps.

    Returns:
        Shape (batch,): cosine of the share of steps taken, times all, rounded down; but one fewer than before at least,
        one at least before the last step, and none after it.

    Example:
        >>> now = torch.tensor([100])
        >>> [int(now := still_masked(torch.tensor([100]), now, step, 4)) for step in range(4)]
        [92, 70, 38, 0]
    """
    if step == steps - 1:
        return torch.zeros_like(n_masked)
    wanted = (n_masked.double() * math.cos(math.pi / 2 * (step + 1) / steps)).floor().long()
    return torch.minimum(torch.minimum(wanted, now - 1).clamp_min(1), now)


def unmask(predict: Predict, codes: Tensor, mask: Tensor, n_codes: int, how: Unmasking, rng: Draws) -> Tensor:
    """Fill the masked codes; the others stay as they are.

    Args:
        predict: From codes (batch, n, levels), ``n_codes`` where masked, to logits (batch, n, levels, n_codes).
        codes: Shape (batch, n, levels) int64; what stands where they are masked is not looked at.
        mask: True where they are to be filled, shape of ``codes``.
        n_codes: Size of the codebooks.
        how: Settings.
        rng: Source of all randomness.

    Returns:
        Shape of ``codes``.

    Raises:
        MediaError: ``not_finite``: logits are not finite.
    """
    codes, n_masked = torch.where(mask, n_codes, codes), mask.flatten(1).sum(1)
    for step in range(how.steps):
        logits = predict(codes).float()
        require_usable(logits.numpy(force=True), LARGEST_LOGIT, "logits")
        uniform, noise = (torch.from_numpy(rng.random(tuple(codes.shape))).to(codes.device) for _ in range(2))
        drawn = draw_codes(logits, uniform, how.codes)
        chance = probabilities(logits, how.codes).gather(-1, drawn[..., None]).squeeze(-1)
        gumbel = -(-noise.clamp_min(1e-20).log()).log()
        confidence = chance.clamp_min(1e-20).log() + how.noise * (1 - (step + 1) / how.steps) * gumbel
        confidence = confidence.masked_fill(~mask, torch.inf)
        left = still_masked(n_masked, mask.flatten(1).sum(1), step, how.steps)
        ranks = confidence.flatten(1).argsort(stable=True, dim=1).argsort(dim=1).reshape(mask.shape)
        filled = torch.where(mask, drawn, codes)
        mask = ranks < left[:, None, None]
        codes = torch.where(mask, n_codes, filled)
    return codes
