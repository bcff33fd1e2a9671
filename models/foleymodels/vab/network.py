"""Define VAB's network: blocks of each modality, then joint ones."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from foleymodels._codecs.codec import Codec
from foleymodels._codecs.settings import CodecSettings
from foleymodels._codes.network import MultiwayBlock
from foleymodels._codes.prefix import PrefixCodes
from foleymodels._parts.settings import amount
from foleymodels._parts.signal import SignalSettings
from foleymodels._systems.settings import FeatureSettings, NetSettings
from foleymodels._training.settings import LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class VabNetSettings(NetSettings):
    """Settings of the generator and of its fine-tuning.

    Attributes:
        solo_blocks: Blocks of each modality before the ``net_blocks`` joint ones.
        frames_hz: Video frames a second in the prefix.
        mask_noise: Noise on the confidence at generation, see ``Unmasking``.
        retrieval_dim: Width of the space in which video and audio are contrasted.
        retrieval_steps: Optimiser steps of the fine-tuning.
        retrieval_rate: Its peak learning rate.
    """

    net_hidden: int = 320
    guidance: float = 5.0
    solo_blocks: int = 1
    frames_hz: float = 1.0
    mask_noise: float = 4.5
    retrieval_dim: int = 64
    retrieval_steps: int = amount(300)
    retrieval_rate: float = 5e-4


@dataclasses.dataclass(frozen=True, kw_only=True)
class VabSettings:
    """The settings that decide a trained system."""

    signal: SignalSettings
    alignment: FeatureSettings
    codec: CodecSettings
    net: VabNetSettings
    loop: LoopSettings


class Vab(PrefixCodes):
    """The transformer."""

    def __init__(self, settings: VabSettings, codec: Codec, condition_dim: int) -> None:
        net = settings.net
        super().__init__(
            codec, settings.signal.mel, condition_dim, dim=net.net_dim, heads=net.net_heads, rate_hz=net.frames_hz
        )

        def blocks(count: int) -> nn.ModuleList:
            return nn.ModuleList([MultiwayBlock(net.net_dim, net.net_heads, net.net_hidden) for _ in range(count)])

        self.video_blocks, self.audio_blocks = blocks(net.solo_blocks), blocks(net.solo_blocks)
        self.joint_blocks = blocks(net.net_blocks)

    def forward(self, codes: Tensor, conditions: Tensor, dropped: Tensor) -> Tensor:
        """Predict codes.

        Args:
            codes: Shape (batch, n, levels), ``codebook_size`` where masked.
            conditions: Features, shape (batch, n, condition_dim).
            dropped: Which examples are without video, shape (batch,).

        Returns:
            Logits, shape (batch, n, levels, codebook_size).
        """
        (video, video_table), (audio, audio_table) = self._watch(conditions, dropped), self._listen(codes)
        m = video.shape[1]
        x = self._join(torch.cat([video, audio], dim=1), torch.cat([video_table, audio_table]))
        return self.logits(x[:, m:])

    def video_vector(self, conditions: Tensor) -> Tensor:
        """Return a vector of the video alone, the mean over its frames, shape (batch, dim)."""
        kept = torch.zeros(len(conditions), dtype=torch.bool, device=conditions.device)
        return self._join(*self._watch(conditions, kept)).mean(1)

    def audio_vector(self, codes: Tensor) -> Tensor:
        """Return a vector of the audio alone, the mean over its codes' positions, shape (batch, dim)."""
        return self._join(*self._listen(codes)).mean(1)

    def _watch(self, conditions: Tensor, dropped: Tensor) -> tuple[Tensor, Tensor]:
        x = self.frames(conditions, dropped)
        table, _ = self.tables(x.shape[1], 0, x.device)
        for block in self.video_blocks:
            x = block(x, table)
        return x, table

    def _listen(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        x = self.sounds(codes)
        _, table = self.tables(0, x.shape[1], x.device)
        for block in self.audio_blocks:
            x = block(x, table)
        return x, table

    def _join(self, x: Tensor, table: Tensor) -> Tensor:
        for block in self.joint_blocks:
            x = block(x, table)
        return x
