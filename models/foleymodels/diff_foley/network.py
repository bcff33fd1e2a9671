"""Define the networks of Diff-Foley: the denoiser and its judge.

Video enters by cross-attention alone, at 4 features a second; nothing of it modulates a token. Time modulates all
tokens of an example alike. The predicted noise passes through convolutions at full resolution, as through the outer
levels of the original's U-Net: a transformer that is narrower than a token could not let it through.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._parts.blocks import (
    Attention,
    ConvMLP,
    TimeConv,
    grid_table,
    modulate,
    time_embedding,
)
from foleymodels._parts.mel import MelSettings
from foleymodels._parts.refine import Refine
from foleymodels._systems.features import FeatureScale, features_at
from foleymodels.diff_foley.settings import DiffusionSettings, JudgeSettings


class CrossBlock(nn.Module):
    """Tokens attend to each other, then to the video, then a convolutional feed-forward part."""

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.own = Attention(dim, heads)
        self.norm = nn.LayerNorm(dim)
        self.cross = Attention(dim, heads)
        self.mlp = ConvMLP(dim, hidden)
        self.table = nn.Parameter(torch.zeros(6, dim))

    def forward(self, x: Tensor, modulation: Tensor, table: Tensor, video: Tensor, video_table: Tensor) -> Tensor:
        """Apply.

        Args:
            x: Shape (batch, n, dim).
            modulation: Shared projection of the time, shape (batch, 1, 6, dim).
            table: Rotations of the tokens.
            video: Video tokens, shape (batch, m, dim).
            video_table: Rotations of the video tokens.
        """
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = (modulation + self.table).unbind(2)
        x = x + gate_a * self.own(modulate(x, shift_a, scale_a), table)
        x = x + self.cross(self.norm(x), table, video, video_table)
        out: Tensor = x + gate_m * self.mlp(modulate(x, shift_m, scale_m))
        return out


class CrossNet(nn.Module):
    """Noisy mel tokens and video features, cross-attended: the body of both networks."""

    def __init__(
        self, mel: MelSettings, feature_hz: float, video_dim: int, *, dim: int, blocks: int, heads: int, hidden: int
    ) -> None:
        super().__init__()
        self._mel, self._feature_hz = mel, feature_hz
        self._dim, self._head_dim = dim, dim // heads
        self.scale = FeatureScale(video_dim)
        self.see = nn.Linear(video_dim, dim)
        self.enter = TimeConv(mel.token_dim, dim, 7)
        self.time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.modulation = nn.Linear(dim, 6 * dim)
        self.blocks = nn.ModuleList([CrossBlock(dim, heads, hidden) for _ in range(blocks)])

    def tokens(self, conditions: Tensor) -> Tensor:
        """Return the video tokens of features.

        Args:
            conditions: Frame features, one for each mel token, shape (batch, n, video_dim).

        Returns:
            Standardised features, ``feature_hz`` a second, shape (batch, m, video_dim).
        """
        out: Tensor = self.scale(features_at(conditions, self._mel.token_hz, self._feature_hz))
        return out

    def forward(self, x: Tensor, t: Tensor, video: Tensor) -> tuple[Tensor, Tensor]:
        """Return states of the tokens (batch, n, dim), and the embedded time (batch, 1, dim).

        Args:
            x: Noisy mel tokens, shape (batch, n, token_dim).
            t: Times, shape (batch,).
            video: From ``tokens``, shape (batch, m, video_dim); zeros where the condition is dropped.
        """
        context = F.silu(self.time(time_embedding(t, self._dim)))[:, None]
        modulation = self.modulation(context).reshape(len(x), 1, 6, -1)
        table = grid_table(x.shape[1], self._mel.token_hz, self._head_dim, x.device)
        video_table = grid_table(video.shape[1], self._feature_hz, self._head_dim, x.device)
        seen, hidden = self.see(video), self.enter(x)
        for block in self.blocks:
            hidden = block(hidden, modulation, table, seen, video_table)
        return hidden, context


class CrossDenoiser(nn.Module):
    """Predicts the noise in mel tokens.

    Attributes:
        settings: Settings of the diffusion.
        net: The body.
    """

    def __init__(self, settings: DiffusionSettings, mel: MelSettings, video_dim: int) -> None:
        super().__init__()
        self.settings = settings
        dim = settings.net_dim
        self.net = CrossNet(
            mel, settings.feature_hz, video_dim,
            dim=dim, blocks=settings.net_blocks, heads=settings.net_heads, hidden=settings.net_hidden,
        )  # fmt: skip
        self.leave_modulation = nn.Linear(dim, 2 * dim)
        self.leave = TimeConv(dim, mel.token_dim, 3)
        self.refine = Refine(
            n_mels=mel.n_mels,
            frames_per_token=mel.frames_per_token,
            channels=settings.net_refine,
            context_dim=dim,
        )
        for layer in (self.net.modulation, self.leave_modulation, self.leave.linear):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, t: Tensor, video: Tensor) -> Tensor:
        """Return the prediction, shape of ``x``; arguments as in ``CrossNet``."""
        hidden, context = self.net(x, t, video)
        shift, scale = self.leave_modulation(context).chunk(2, dim=-1)
        left = modulate(hidden, shift, scale)
        out: Tensor = self.refine(self.leave(left), x, left)
        return out


class PairJudge(nn.Module):
    """Tells whether noisy audio and video go together: same clip, same time.

    Attributes:
        net: The body.
    """

    def __init__(self, settings: JudgeSettings, feature_hz: float, mel: MelSettings, video_dim: int) -> None:
        super().__init__()
        dim = settings.judge_dim
        self.net = CrossNet(
            mel, feature_hz, video_dim,
            dim=dim, blocks=settings.judge_blocks, heads=settings.judge_heads, hidden=2 * dim,
        )  # fmt: skip
        self.norm = nn.LayerNorm(dim)
        self.leave = nn.Linear(2 * dim, 1)

    def forward(self, x: Tensor, t: Tensor, video: Tensor) -> Tensor:
        """Return logits of going together, shape (batch,); arguments as in ``CrossNet``."""
        states = self.norm(self.net(x, t, video)[0])
        out: Tensor = self.leave(torch.cat([states.mean(1), states.amax(1)], dim=-1))[:, 0]
        return out
