"""Fill masked codes by a multiway encoder and a decoder.

Their prefix has five video frames a second.

Source: DragonLiu1995/video-to-audio-through-text@c8e51be vatt/vt2a (network, masks, sampling), of Liu, Su, Shlizerman
2024, "Tell what you hear from what you see".
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn

from foleybench.api.model import BuildContext
from foleymodels._codecs.codec import Codec
from foleymodels._codecs.settings import CodecSettings
from foleymodels._codecs.stage import RESIDUAL_CODEC, codec_in
from foleymodels._codes.generate import masked_generator
from foleymodels._codes.masks import high_ratio_masks
from foleymodels._codes.network import MultiwayBlock
from foleymodels._codes.prefix import PrefixCodes
from foleymodels._codes.training import GENERATOR, train_masked
from foleymodels._parts.signal import SignalSettings
from foleymodels._systems.features import FRAME_FEATURES, alignment_in, frame_conditions
from foleymodels._systems.parts import Parts, SystemRun, own_part
from foleymodels._systems.settings import FeatureSettings, NetSettings
from foleymodels._systems.system import System
from foleymodels._training.settings import LoopSettings
from foleymodels._vocoders.mel_generator import MelGenerator

SMOOTHING = 0.1


@dataclasses.dataclass(frozen=True, kw_only=True)
class VattNetSettings(NetSettings):
    """Settings of the generator.

    Attributes:
        decoder_blocks: Blocks of the decoder, after the ``net_blocks`` of the encoder.
        frames_hz: Video frames a second in the prefix.
        mask_noise: Noise on the confidence at generation, see ``Unmasking``.
        top_k: Number of most probable codes to draw from; 0 for all.
    """

    net_blocks: int = 2
    net_hidden: int = 384
    guidance: float = 5.0
    decoder_blocks: int = 2
    frames_hz: float = 5.0
    mask_noise: float = 25.5
    top_k: int = 32

    @classmethod
    def shapes(cls) -> dict[str, dict[str, Any]]:
        """Return the sizes' differences: half of the blocks are the encoder's, the other half the decoder's."""
        halves = {"net_blocks": 6, "decoder_blocks": 6, "top_k": 128}
        return {size: {**changed, **halves} for size, changed in super().shapes().items()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class VattSettings:
    """The settings that decide a trained system."""

    signal: SignalSettings
    alignment: FeatureSettings
    codec: CodecSettings
    net: VattNetSettings
    loop: LoopSettings


class Vatt(PrefixCodes):
    """The transformer: an encoder whose feed-forward parts are of one modality each, then a decoder of common ones."""

    def __init__(self, settings: VattSettings, codec: Codec, condition_dim: int) -> None:
        net = settings.net
        shape = (net.net_dim, net.net_heads, net.net_hidden)
        super().__init__(
            codec, settings.signal.mel, condition_dim, dim=net.net_dim, heads=net.net_heads, rate_hz=net.frames_hz
        )
        self.encoder = nn.ModuleList([MultiwayBlock(*shape, modalities=2) for _ in range(net.net_blocks)])
        self.decoder = nn.ModuleList([MultiwayBlock(*shape) for _ in range(net.decoder_blocks)])

    def forward(self, codes: Tensor, conditions: Tensor, dropped: Tensor) -> Tensor:
        """Predict codes.

        Args:
            codes: Shape (batch, n, levels), ``codebook_size`` where masked.
            conditions: Features, shape (batch, n, condition_dim).
            dropped: Which examples are without video, shape (batch,).

        Returns:
            Logits, shape (batch, n, levels, codebook_size).
        """
        video, audio = self.frames(conditions, dropped), self.sounds(codes)
        lengths = (video.shape[1], audio.shape[1])
        x, table = torch.cat([video, audio], dim=1), torch.cat(self.tables(*lengths, codes.device))
        for block in self.encoder:
            x = block(x, table, lengths)
        for block in self.decoder:
            x = block(x, table)
        return self.logits(x[:, lengths[0] :])


def _new(settings: VattSettings, parts: Parts) -> Vatt:
    return Vatt(settings, codec_in(parts), alignment_in(parts).condition_dim)


def _train(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, Vatt)
    network.scale.measure(frame_conditions(run).sample())
    train_masked(run, network, network, high_ratio_masks, smoothing=SMOOTHING)


def _generator(settings: Any, parts: Parts, context: BuildContext) -> MelGenerator:
    net = settings.net
    return masked_generator(settings, parts, context, parts[GENERATOR], noise=net.mask_noise, top_k=net.top_k)


SYSTEM = System(
    name="vatt",
    settings=VattSettings,
    parts=(FRAME_FEATURES, RESIDUAL_CODEC, own_part(GENERATOR, VattSettings, _new, _train, tag="vatt_generator")),
    generator=_generator,
)
