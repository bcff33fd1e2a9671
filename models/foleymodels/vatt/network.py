"""Define VATT's network: a multiway encoder and a decoder."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn

from foleymodels._codecs.codec import Codec
from foleymodels._codecs.settings import CodecSettings
from foleymodels._codes.network import MultiwayBlock
from foleymodels._codes.prefix import PrefixCodes
from foleymodels._parts.blocks import rotary_table
from foleymodels._parts.settings import amount, choice
from foleymodels._parts.signal import SignalSettings
from foleymodels._sound_text.settings import TextSettings
from foleymodels._sound_text.text import PADDING, TextEncoder
from foleymodels._systems.settings import FeatureSettings, NetSettings
from foleymodels._training.settings import LoopSettings

# Added to the attention's logits where a word is none: finite, as in the text encoder.
_HIDDEN = -1e4


@dataclasses.dataclass(frozen=True, kw_only=True)
class VattNetSettings(NetSettings):
    """Settings of the generator.

    Attributes:
        decoder_blocks: Blocks of the decoder, after the ``net_blocks`` of the encoder.
        frames_hz: Video frames a second in the prefix.
        mask_noise: Noise on the confidence at generation, see ``Unmasking``.
        top_k: Number of most probable codes to draw from; 0 for all.
        text: Words in the prefix: ``none``; ``predicted`` (a caption that is guessed from the video); or ``true`` (the
            clip's own caption, which tells what is to be guessed: ``vatt_true_captions``, an oracle row).
        caption_dim: Width of the network that guesses captions.
        caption_steps: Its optimiser steps.
        caption_rate: Its peak learning rate.
    """

    net_blocks: int = 2
    net_hidden: int = 384
    guidance: float = 5.0
    decoder_blocks: int = 2
    frames_hz: float = 5.0
    mask_noise: float = 25.5
    top_k: int = 32
    text: str = choice("none", "predicted", "true")
    caption_dim: int = 64
    caption_steps: int = amount(300)
    caption_rate: float = 2e-3

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
    text: TextSettings
    net: VattNetSettings
    loop: LoopSettings


class Vatt(PrefixCodes):
    """The transformer: an encoder whose feed-forward parts are of one modality each, then a decoder of common ones.

    Attributes:
        text: The text encoder, or None without text.
    """

    def __init__(self, settings: VattSettings, codec: Codec, condition_dim: int) -> None:
        net = settings.net
        shape = (net.net_dim, net.net_heads, net.net_hidden)
        super().__init__(
            codec, settings.signal.mel, condition_dim, dim=net.net_dim, heads=net.net_heads, rate_hz=net.frames_hz
        )
        self.encoder = nn.ModuleList([MultiwayBlock(*shape, modalities=2) for _ in range(net.net_blocks)])
        self.decoder = nn.ModuleList([MultiwayBlock(*shape) for _ in range(net.decoder_blocks)])
        self.text = None if net.text == "none" else TextEncoder(settings.text)
        self.read = None if net.text == "none" else nn.Linear(settings.text.text_dim, net.net_dim)

    def forward(self, codes: Tensor, conditions: Tensor, dropped: Tensor, words: Tensor | None = None) -> Tensor:
        """Predict codes.

        Args:
            codes: Shape (batch, n, levels), ``codebook_size`` where masked.
            conditions: Features, shape (batch, n, condition_dim).
            dropped: Which examples are without video and words, shape (batch,).
            words: Rows of the words of a caption (``TextEncoder.rows``), shape (batch, any), or None.

        Returns:
            Logits, shape (batch, n, levels, codebook_size).
        """
        prefix, audio = self.frames(conditions, dropped), self.sounds(codes)
        video_table, audio_table = self.tables(prefix.shape[1], audio.shape[1], codes.device)
        table, bias = [video_table, audio_table], None
        if self.text is not None and self.read is not None and words is not None:
            told = self.read(self.text(words)).masked_fill(dropped[:, None, None], 0.0) + self.seen
            # All words are at the clip's beginning: their order is the text encoder's business.
            beginning = rotary_table(torch.zeros(words.shape[1]), 2 * video_table.shape[1]).to(codes.device)
            table.insert(1, beginning)
            bias = _word_bias(words, prefix.shape[1], audio.shape[1])
            prefix = torch.cat([prefix, told], dim=1)
        lengths = (prefix.shape[1], audio.shape[1])
        x, whole = torch.cat([prefix, audio], dim=1), torch.cat(table)
        for block in self.encoder:
            x = block(x, whole, lengths, bias=bias)
        for block in self.decoder:
            x = block(x, whole, bias=bias)
        return self.logits(x[:, lengths[0] :])


def _word_bias(words: Tensor, before: int, after: int) -> Tensor:
    """Return the bias that hides padding among frames, words and codes, shape (batch, 1, 1, n)."""
    batch = len(words)
    parts = [words.new_zeros(batch, before), (words == PADDING).long(), words.new_zeros(batch, after)]
    return torch.cat(parts, dim=1).float()[:, None, None] * _HIDDEN
