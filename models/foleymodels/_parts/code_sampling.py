"""Draw codes from logits: temperature, top-k, top-p.

All randomness is uniform numbers from the caller, turned into codes by the inverse of the cumulative probabilities, so
that a seed gives the same codes on every device but for rounding.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor

from foleybench.api.model import require_usable
from foleybench.errors import UnknownNameError
from foleymodels._parts.draws import Draws

LARGEST_LOGIT = 1e6
NextLogits = Callable[["Tensor | None"], Tensor]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CodeSampling:
    """The settings of drawing codes.

    Attributes:
        temperature: Divides the logits; 0 takes the most probable code.
        top_k: Number of most probable codes to draw from; 0 for all.
        top_p: Probability that the codes to draw from have together at least; 1 for all.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        """Refuse values without a meaning.

        Raises:
            UnknownNameError: One is out of its range.
        """
        if self.temperature < 0 or self.top_k < 0 or not 0.0 < self.top_p <= 1.0:
            raise UnknownNameError(
                f"temperature={self.temperature}, top_k={self.top_k}, top_p={self.top_p}: temperature and top_k are at "
                "least 0, and top_p is above 0 and at most 1."
            )


def probabilities(logits: Tensor, sampling: CodeSampling) -> Tensor:
    """Return the probabilities that codes are drawn with: temperature, then top-k, then top-p.

    Codes as probable as the last one kept by top-k are kept as well (`v-iashin/SpecVQGAN@5bc54f3` does the same). Top-p
    keeps the most probable codes until their sum reaches ``top_p``, the one that reaches it included.

    Args:
        logits: Shape (..., n_codes).
        sampling: Settings.

    Returns:
        Shape of ``logits``, float64, sums 1.
    """
    logits = logits.double()
    if sampling.temperature == 0.0:
        return torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).double()
    logits = logits / sampling.temperature
    if 0 < sampling.top_k < logits.shape[-1]:
        least = logits.topk(sampling.top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    found = logits.softmax(-1)
    if sampling.top_p < 1.0:
        ordered, order = found.sort(dim=-1, descending=True, stable=True)
        before = ordered.cumsum(-1) - ordered
        found = torch.zeros_like(found).scatter(-1, order, ordered.masked_fill(before >= sampling.top_p, 0.0))
        found = found / found.sum(-1, keepdim=True)
    return found


def draw_codes(logits: Tensor, uniform: Tensor, sampling: CodeSampling) -> Tensor:
    """Draw codes.

    Args:
        logits: Shape (..., n_codes).
        uniform: Uniform numbers in [0, 1), shape (...).
        sampling: Settings.

    Returns:
        Codes, shape (...), int64.
    """
    rising = probabilities(logits, sampling).cumsum(-1)
    # Scaled by the last sum, which rounding keeps from 1: no code of probability 0 is reached.
    wanted = uniform.double()[..., None].to(rising.device) * rising[..., -1:]
    return torch.searchsorted(rising, wanted, right=True).squeeze(-1)


def write_codes(next_logits: NextLogits, forced: Tensor, sampling: CodeSampling, rng: Draws) -> Tensor:
    """Write a sequence of codes, one step after the other.

    Args:
        next_logits: From the codes of the step before, shape (batch, n_books), or None at the first step, to the logits
            of the next, shape (batch, n_books, n_codes); it keeps what it needs of earlier steps.
        forced: Codes that are given, -1 where one is drawn, shape (batch, n_steps, n_books).
        sampling: How codes are drawn.
        rng: Source of all randomness; one uniform number for every place, drawn or given.

    Returns:
        Shape of ``forced``.

    Raises:
        MediaError: ``not_finite``: logits are not finite. Codes would hide that from everything after them.
    """
    uniforms = torch.from_numpy(rng.random(tuple(forced.shape)))
    steps: list[Tensor] = []
    for index in range(forced.shape[1]):
        logits = next_logits(steps[-1] if steps else None)
        require_usable(logits.float().numpy(force=True), LARGEST_LOGIT, "logits")
        given = forced[:, index]
        steps.append(torch.where(given >= 0, given, draw_codes(logits, uniforms[:, index], sampling)))
    return torch.stack(steps, dim=1)
