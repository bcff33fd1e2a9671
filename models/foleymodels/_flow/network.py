"""Define the flow's velocity network: a transformer over mel tokens.

Section 3.3 of the paper. Eq. 5, F_t^a = f(z_t, F_t^v), conditions on a video feature that changes with time; here each
token has its own modulation, from the condition at the same time. The static variant gives every token the mean over
time through the same layers. Sampling (Eq. 6, and Eq. 8 in one step) goes from noise to data.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.blocks import ModulatedBlock, TimeConv, grid_table, modulate, time_embedding
from foleymodels._parts.mel import MelSettings
from foleymodels._parts.paths import FlowPath, flow_path
from foleymodels._parts.refine import Refine
from foleymodels._parts.samplers import even_times, guided, matched_times
from foleymodels._parts.warp import Warp

_LEAST_SPREAD = 1e-3


class Flow(nn.Module):
    """The velocity network.

    Attributes:
        settings: Settings of the flow.
        mel: Settings of the mel tokens.
        centre: Mean of the training conditions, shape (condition_dim,).
        spread: Their standard deviation.
        null: The learned null condition, shape (condition_dim,).
    """

    centre: Tensor
    spread: Tensor

    def __init__(
        self, settings: FlowSettings, mel: MelSettings, condition_dim: int, *, told_span: bool = False
    ) -> None:
        """Make the network.

        Args:
            settings: Sizes and path.
            mel: Settings of the tokens.
            condition_dim: Numbers of the condition, for every token.
            told_span: Whether the length of a step is an input, as for one-step heads.
        """
        super().__init__()
        self.settings, self.mel = settings, mel
        dim, token_dim = settings.flow_dim, mel.token_dim
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
        self.refine = _refine(settings, mel)
        self.span = nn.Linear(dim, dim) if told_span else None
        self.warp = Warp() if settings.path == "gvp_learned" else None
        for layer in (self.modulation, self.leave_modulation, self.leave.linear):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        if self.span is not None:
            nn.init.zeros_(self.span.weight)
            nn.init.zeros_(self.span.bias)

    @property
    def path(self) -> FlowPath:
        """The path between data and noise."""
        return flow_path(self.settings.path)

    def times(self, n_steps: int) -> list[float]:
        """Return the times at which the steps of a sampler end, ``n_steps + 1`` from 1 to 0.

        They are at the same noise levels on every path (``times=matched``), equally far apart (``raw``), or learned.
        """
        if self.warp is not None:
            return self.warp.times(n_steps)
        return even_times(n_steps) if self.settings.times == "raw" else matched_times(self.path, n_steps)

    def prepare(self, condition: Tensor) -> Tensor:
        """Return the condition as the network's input: standardised, and its mean over time when ``static``.

        Args:
            condition: Shape (batch, n, condition_dim).
        """
        scaled = (condition - self.centre) / self.spread
        return scaled.mean(1, keepdim=True).expand_as(scaled) if self.settings.condition == "static" else scaled

    def forward(
        self, x: Tensor, tau: Tensor, condition: Tensor, dropped: Tensor, following: Tensor | None = None
    ) -> Tensor:
        """Predict the velocity over the path's speed.

        Returns:
            Shape (batch, n, token_dim).
        """
        data = self.data(x, tau, condition, dropped, following)
        return self.path.velocity(x, data, tau[:, None, None])

    def data(
        self, x: Tensor, tau: Tensor, condition: Tensor, dropped: Tensor, following: Tensor | None = None
    ) -> Tensor:
        """Predict the data.

        A token holds more numbers than the network is wide, so the noise in it cannot pass through; the data can.

        Args:
            x: Shape (batch, n, token_dim).
            tau: Flow times, shape (batch,).
            condition: From ``prepare``, shape (batch, n, condition_dim).
            dropped: Where the null condition is used, shape (batch,).
            following: Times that a step goes to, shape (batch,); only a ``told_span`` network uses them: its data is
                then the estimate that takes the step exactly when used directly.

        Returns:
            Shape (batch, n, token_dim).
        """
        given = torch.where(dropped[:, None, None], self.null, condition)
        local = self.local(given)
        shared = self.time(time_embedding(tau, self.settings.flow_dim)) + self.overall(given.mean(1))
        if self.span is not None and following is not None:
            shared = shared + self.span(_span_embedding(tau - following, self.settings.flow_dim))
        context = F.silu(local + shared[:, None])
        modulation = self.modulation(context).reshape(*context.shape[:2], 6, -1)
        head_dim = self.settings.flow_dim // self.settings.flow_heads
        table = grid_table(x.shape[1], self.mel.token_hz, head_dim, x.device)
        hidden = self.enter(x) + local
        for block in self.blocks:
            hidden = block(hidden, modulation, table)
        shift, scale = self.leave_modulation(context).chunk(2, dim=-1)
        left = modulate(hidden, shift, scale)
        estimate: Tensor = self.leave(left)
        return estimate if self.refine is None else self.refine(estimate, x, left)

    @torch.no_grad()
    def fit_scale(self, conditions: Tensor) -> None:
        """Set the standardisation from conditions of the training set, shape (any, condition_dim)."""
        self.centre.copy_(conditions.mean(0))
        self.spread.copy_(conditions.std(0).clamp_min(_LEAST_SPREAD))

    @torch.no_grad()
    def follow_scale(self, conditions: Tensor, decay: float = 0.99) -> None:
        """Move the standardisation towards conditions that are still being learned, shape (any, condition_dim)."""
        variance = self.spread.square().lerp((conditions - self.centre).square().mean(0), 1 - decay)
        self.centre.lerp_(conditions.mean(0), 1 - decay)
        self.spread.copy_(variance.sqrt().clamp_min(_LEAST_SPREAD))


def _refine(settings: FlowSettings, mel: MelSettings) -> Refine | None:
    if not settings.refine_channels:
        return None
    return Refine(
        n_mels=mel.n_mels,
        frames_per_token=mel.frames_per_token,
        channels=settings.refine_channels,
        context_dim=settings.flow_dim,
    )


def guided_velocity(
    flow: Flow, x: Tensor, tau: Tensor, prepared: Tensor, scale: float | None, following: Tensor | None = None
) -> Tensor:
    """Return the velocity with classifier-free guidance.

    Args:
        flow: The network.
        x: Shape (batch, n, token_dim).
        tau: Shape (batch,).
        prepared: From ``flow.prepare``, shape (batch, n, condition_dim).
        scale: Guidance scale: 1 is the conditional velocity, None the one without a condition.
        following: Times that a step goes to, for 1-step heads, shape (batch,).
    """
    kept = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    if scale is None or scale == 1.0:
        alone: Tensor = flow(x, tau, prepared, kept if scale else ~kept, following)
        return alone
    both = flow(torch.cat([x, x]), torch.cat([tau, tau]), torch.cat([prepared, prepared]), torch.cat([kept, ~kept]))
    conditional, unconditional = both.chunk(2)
    return guided(conditional, unconditional, scale)


def _span_embedding(span: Tensor, dim: int) -> Tensor:
    """Return sinusoids of the length of a step that vanish where it is 0, shape (batch, dim)."""
    return time_embedding(span, dim) - time_embedding(torch.zeros_like(span), dim)
