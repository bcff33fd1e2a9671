"""Average weights over training, exponentially.

A ramp keeps the random start out of early averages.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Ema:
    """A running average of a module's weights.

    Attributes:
        decay: Weight of the past once the ramp is over.
        weights: The averages by parameter name.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, Tensor] = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move towards the present weights; ``step`` counts from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, 1 - decay)
            else:
                self.weights[name].copy_(value)
