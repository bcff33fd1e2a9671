"""Learn sampling times while a flow is trained.

More steps go where its error is large. Give the path any monotone clock ``s`` (s(0) = 0, s(1) = 1). The plain flow
matching loss of the clocked path is the integral of s'(tau)^2 * E(s(tau)), where E is the error at a point of the path
in units of its speed. Among all clocks it is smallest when s' is proportional to 1 / sqrt(E), so the best clock follows
from running averages of E, with no gradient. The geometry and the noise levels seen in training stay those of the path:
a learned clock moves the steps of the sampler only.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

N_BINS = 16
_DECAY = 0.99


class Warp(nn.Module):
    """Running averages of the error along the path, and the clock that follows from them."""

    errors: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("errors", torch.ones(N_BINS))

    @torch.no_grad()
    def update(self, tau: Tensor, errors: Tensor) -> None:
        """Add the errors of a batch to the averages.

        Args:
            tau: Points of the path in [0, 1], shape (batch,).
            errors: Squared error of each example in units of the path's speed, shape (batch,).
        """
        finite = errors.isfinite()  # a step that is not finite is left out here, too
        tau, errors = tau[finite], errors[finite]
        bins = (tau * N_BINS).long().clamp(0, N_BINS - 1)
        counts = torch.zeros_like(self.errors).index_add_(0, bins, torch.ones_like(errors))
        sums = torch.zeros_like(self.errors).index_add_(0, bins, errors)
        means = sums / counts.clamp_min(1.0)
        self.errors.copy_(torch.where(counts > 0, self.errors * _DECAY + means * (1 - _DECAY), self.errors))

    def times(self, n_steps: int) -> list[float]:
        """Return ``n_steps + 1`` points of the path, 1 first and 0 last, equally far apart on the learned clock."""
        widths = self.errors.double().clamp_min(1e-6).sqrt().cpu().numpy()
        clock = np.concatenate([[0.0], np.cumsum(widths) / widths.sum()])
        points = np.interp(np.linspace(1.0, 0.0, n_steps + 1), clock, np.linspace(0.0, 1.0, N_BINS + 1))
        return [1.0, *points[1:-1].tolist(), 0.0]
