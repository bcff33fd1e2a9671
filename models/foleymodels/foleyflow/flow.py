"""The flow (section 3.3): a transformer over mel tokens that predicts velocities, conditioned frame by frame.

Eq. 5 conditions on a video feature that changes with time; here each token has its own modulation, from the condition
at the same time. The static variant gives every token the mean over time through the same layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._blocks import ModulatedBlock, TimeConv, modulate, rotary_table, time_embedding
from foleymodels._paths import draw_times, path
from foleymodels.foleyflow.settings import Settings


class Flow(nn.Module):
    """The velocity network."""

    centre: Tensor
    spread: Tensor

    def __init__(self, settings: Settings, condition_dim: int) -> None:
        super().__init__()
        self.settings = settings
        dim, token_dim = settings.flow_dim, settings.mel.token_dim
        self.register_buffer("centre", torch.zeros(condition_dim))
        self.register_buffer("spread", torch.ones(condition_dim))
        self.null = nn.Parameter(torch.zeros(condition_dim))
        self.enter = TimeConv(token_dim, dim, 7)
        self.local = nn.Sequential(nn.Linear(condition_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.overall = nn.Linear(condition_dim, dim)
        self.time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.modulation = nn.Linear(dim, 6 * dim)
        self.blocks = nn.ModuleList(
            [ModulatedBlock(dim, settings.flow_heads, settings.flow_hidden) for _ in range(settings.flow_blocks)]
        )
        self.leave_modulation = nn.Linear(dim, 2 * dim)
        self.leave = TimeConv(dim, token_dim, 3)
        for layer in (self.modulation, self.leave_modulation, self.leave.linear):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def prepare(self, condition: Tensor) -> Tensor:
        """Return the condition as the network wants it: standardised, and made static when the variant is.

        Args:
            condition: Exported by the alignment stage, shape (batch, n, condition_dim).
        """
        scaled = (condition - self.centre) / self.spread
        return scaled.mean(1, keepdim=True).expand_as(scaled) if self.settings.condition == "static" else scaled

    def forward(self, x: Tensor, tau: Tensor, condition: Tensor, dropped: Tensor) -> Tensor:
        """Predict the velocity over the path's speed, by way of the data.

        A token holds more numbers than the network is wide, so the noise in it cannot pass through; the data can.

        Args:
            x: Shape (batch, n, token_dim).
            tau: Flow times, shape (batch,).
            condition: From ``prepare``, shape (batch, n, condition_dim).
            dropped: Where the null condition is used, shape (batch,).

        Returns:
            Shape (batch, n, token_dim).
        """
        seen = torch.where(dropped[:, None, None], self.null, condition)
        local = self.local(seen)
        shared = self.time(time_embedding(tau, self.settings.flow_dim)) + self.overall(seen.mean(1))
        context = F.silu(local + shared[:, None])
        modulation = self.modulation(context).reshape(*context.shape[:2], 6, -1)
        table = rotary_table(
            self.settings.mel.token_times_s(x.shape[1]), self.settings.flow_dim // self.settings.flow_heads
        )
        hidden = self.enter(x) + local
        for block in self.blocks:
            hidden = block(hidden, modulation, table)
        shift, scale = self.leave_modulation(context).chunk(2, dim=-1)
        data: Tensor = self.leave(modulate(hidden, shift, scale))
        return path(self.settings.path).velocity(x, data, tau[:, None, None])

    @torch.no_grad()
    def fit_scale(self, conditions: Tensor) -> None:
        """Set the standardisation from conditions of the training set, shape (any, condition_dim)."""
        self.centre.copy_(conditions.mean(0))
        self.spread.copy_(conditions.std(0).clamp_min(1e-3))


def flow_loss(flow: Flow, tokens: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:
    """Return the conditional flow matching loss of a batch: squared error on the velocity over the path's speed.

    Args:
        flow: The network.
        tokens: Data, shape (batch, n, token_dim).
        condition: Exported by the alignment stage, shape (batch, n, condition_dim).
        generator: Source of times, noise and dropped conditions.
    """
    settings = flow.settings
    chosen = path(settings.path)
    n = len(tokens)
    tau = draw_times(
        chosen, n, generator,
        mean=settings.noise_mean, spread=settings.noise_spread, pure_noise_p=settings.pure_noise_p,
    )  # fmt: skip
    noise = torch.randn(tokens.shape, generator=generator)
    dropped = torch.rand(n, generator=generator) < settings.drop_p
    if settings.condition == "none":
        dropped = torch.ones_like(dropped)
    at = tau[:, None, None]
    predicted = flow(chosen.mix(tokens, noise, at), tau, flow.prepare(condition), dropped)
    return F.mse_loss(predicted, chosen.target(tokens, noise, at))
