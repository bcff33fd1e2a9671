"""Predict masked codes under a modulation for every frame.

Source: Pascual et al. 2024, "Masked generative video-to-audio transformers with enhanced synchronicity", the AdaLN
variant: visual features are brought to the rate of the codes and modulate the norms of each position.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.api.model import BuildContext
from foleymodels._codecs.settings import CodecSettings
from foleymodels._codecs.stage import RESIDUAL_CODEC
from foleymodels._codes.generate import masked_generator
from foleymodels._codes.masks import cosine_masks
from foleymodels._codes.network import CodeEmbedding, CodeHeads
from foleymodels._codes.training import GENERATOR, train_masked
from foleymodels._parts.blocks import ModulatedBlock, grid_table, modulate
from foleymodels._parts.signal import SignalSettings
from foleymodels._systems.features import FRAME_FEATURES, FeatureScale, alignment_in, frame_conditions
from foleymodels._systems.parts import Parts, SystemRun, own_part
from foleymodels._systems.settings import FeatureSettings, NetSettings
from foleymodels._systems.system import System
from foleymodels._training.settings import LoopSettings
from foleymodels._vocoders.mel_generator import MelGenerator


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskVatNetSettings(NetSettings):
    """Settings of the generator.

    Attributes:
        mask_noise: Noise on the confidence at generation, see ``Unmasking``.
    """

    net_hidden: int = 384
    mask_noise: float = 4.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskVatSettings:
    """The settings that decide a trained system."""

    signal: SignalSettings
    alignment: FeatureSettings
    codec: CodecSettings
    net: MaskVatNetSettings
    loop: LoopSettings


class MaskVat(nn.Module):
    """The transformer.

    Attributes:
        scale: Standardises the features.
        null: The learned features of no video, shape (condition_dim,).
    """

    def __init__(self, settings: MaskVatSettings, condition_dim: int) -> None:
        super().__init__()
        net, codec = settings.net, settings.codec
        dim = net.net_dim
        self._grid = (settings.signal.mel.token_hz, dim // net.net_heads)
        self.scale = FeatureScale(condition_dim)
        self.null = nn.Parameter(torch.zeros(condition_dim))
        self.enter = CodeEmbedding(codec.codec_levels, codec.codebook_size, dim)
        self.local = nn.Sequential(nn.Linear(condition_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.modulation = nn.Linear(dim, 6 * dim)
        self.blocks = nn.ModuleList(
            [ModulatedBlock(dim, net.net_heads, net.net_hidden, width=1) for _ in range(net.net_blocks)]
        )
        self.leave_modulation = nn.Linear(dim, 2 * dim)
        self.leave = CodeHeads(dim, codec.codec_levels, codec.codebook_size)
        for layer in (self.modulation, self.leave_modulation):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, codes: Tensor, conditions: Tensor, dropped: Tensor) -> Tensor:
        """Predict codes.

        Args:
            codes: Shape (batch, n, levels), ``codebook_size`` where masked.
            conditions: Features, shape (batch, n, condition_dim).
            dropped: Which examples are without video, shape (batch,).

        Returns:
            Logits, shape (batch, n, levels, codebook_size).
        """
        given = torch.where(dropped[:, None, None], self.null, self.scale(conditions))
        context = F.silu(self.local(given))
        modulation = self.modulation(context).unflatten(-1, (6, -1))
        table = grid_table(codes.shape[1], *self._grid, codes.device)
        x = self.enter(codes)
        for block in self.blocks:
            x = block(x, modulation, table)
        shift, scale = self.leave_modulation(context).chunk(2, dim=-1)
        out: Tensor = self.leave(modulate(x, shift, scale))
        return out


def _new(settings: MaskVatSettings, parts: Parts) -> MaskVat:
    return MaskVat(settings, alignment_in(parts).condition_dim)


def _train(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, MaskVat)
    network.scale.measure(frame_conditions(run).sample())
    train_masked(run, network, lambda indices: network, cosine_masks)


def _generator(settings: Any, parts: Parts, context: BuildContext) -> MelGenerator:
    network, noise = parts[GENERATOR], settings.net.mask_noise
    return masked_generator(settings, parts, context, lambda *clips: network, noise=noise)


SYSTEM = System(
    name="maskvat",
    settings=MaskVatSettings,
    parts=(FRAME_FEATURES, RESIDUAL_CODEC, own_part(GENERATOR, MaskVatSettings, _new, _train, tag="maskvat_generator")),
    generator=_generator,
)
