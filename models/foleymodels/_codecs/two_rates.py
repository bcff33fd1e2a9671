"""Define a codec at two rates: coarse codes, and fine ones.

After the hierarchical quantiser of `RoySheffer/im2wav@ee1ba8d` (Jukebox's): every level has an encoder, a codebook and
a decoder of its own and rebuilds the sound alone; the levels share nothing. Here they quantise mel tokens and not the
waveform.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._codecs.codec import Codec
from foleymodels._codecs.quantiser import Quantised, ResidualQuantiser
from foleymodels._codecs.settings import CodecTrainingSettings
from foleymodels._codecs.stage import codec_part
from foleymodels._parts.blocks import Context, TimeConv
from foleymodels._parts.mel import MelSettings
from foleymodels._parts.signal import SignalSettings
from foleymodels._systems.parts import Parts
from foleymodels._training.loop import Losses
from foleymodels._training.settings import LoopSettings

TWO_RATE_TAG = "two_rate_codec"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TwoRateSettings(CodecTrainingSettings):
    """The settings that decide a trained codec at two rates, beside the signal.

    Attributes:
        rate_dim: Width of its encoders and decoders.
        rate_blocks: Their convolution blocks.
        fine_per_token: Fine codes of a mel token, which has one coarse code.
        rate_latent: Numbers that a code stands for.
        rate_codes: Codes of each codebook.
    """

    rate_dim: int = 96
    rate_blocks: int = 2
    fine_per_token: int = 4
    rate_latent: int = 32
    rate_codes: int = 512

    @classmethod
    def sizes(cls) -> dict[str, Any]:
        """Return the settings of every size."""
        large = cls(
            rate_dim=256, rate_blocks=4, rate_latent=64, rate_codes=1024, code_decay=0.99, codec_steps=12000,
            codec_batch=64, codec_rate=3e-4, codec_crop_s=4.0,
        )  # fmt: skip
        return {"tiny": cls(), "base": large, "std16k": large, "paper": large}


class CodeRate(nn.Module):
    """One level: encoder, codebook and decoder at some codes a mel token."""

    def __init__(self, settings: TwoRateSettings, mel: MelSettings, per_token: int) -> None:
        super().__init__()
        self._latent, self._per_token = settings.rate_latent, per_token
        dim, width = settings.rate_dim, settings.rate_latent * per_token
        self.enter = nn.Sequential(
            TimeConv(mel.token_dim, dim, 3), *(Context(dim) for _ in range(settings.rate_blocks)), nn.Linear(dim, width)
        )
        self.quantiser = ResidualQuantiser(
            1, settings.rate_codes, self._latent, settings.code_decay, settings.dead_below
        )
        self.leave = nn.Sequential(
            TimeConv(width, dim, 3), *(Context(dim) for _ in range(settings.rate_blocks)), nn.Linear(dim, mel.token_dim)
        )

    def latents(self, tokens: Tensor) -> Tensor:
        """Return what is quantised, normalised: (batch, n, token_dim) to (batch, n * per_token, latent)."""
        wide = self.enter(tokens)
        return F.layer_norm(wide.reshape(len(wide), -1, self._latent), (self._latent,))

    def encode(self, tokens: Tensor) -> Tensor:
        """Return codes (batch, n, per_token) of mel tokens (batch, n, token_dim)."""
        codes = self.quantiser.encode(self.latents(tokens))
        return codes.reshape(len(codes), -1, self._per_token)

    def rebuilt(self, values: Tensor) -> Tensor:
        """Return mel tokens (batch, n, token_dim) of the vectors of codes, (batch, n * per_token, latent)."""
        out: Tensor = self.leave(values.reshape(len(values), -1, self._per_token * self._latent))
        return out

    def decode(self, codes: Tensor) -> Tensor:
        """Return mel tokens (batch, n, token_dim) of codes (batch, n, per_token)."""
        return self.rebuilt(self.quantiser.decode(codes.flatten(1)[..., None]))


class TwoRateCodec(Codec):
    """Both levels; a position is a mel token with its coarse code first, then its fine ones."""

    def __init__(self, settings: TwoRateSettings, mel: MelSettings) -> None:
        super().__init__()
        self.settings, self.mel = settings, mel
        self.n_codes, self.levels = settings.rate_codes, 1 + settings.fine_per_token
        self.coarse = CodeRate(settings, mel, 1)
        self.fine = CodeRate(settings, mel, settings.fine_per_token)

    @torch.no_grad()
    def encode(self, tokens: Tensor) -> Tensor:
        """Return codes, shape (batch, n, 1 + fine_per_token) int64, of mel tokens (batch, n, token_dim)."""
        return torch.cat([self.coarse.encode(tokens), self.fine.encode(tokens)], dim=2)

    def decode(self, codes: Tensor) -> Tensor:
        """Return mel tokens (batch, n, token_dim) of codes; the coarse codes are not used, as in the published one."""
        return self.fine.decode(codes[..., 1:])

    def losses(self, tokens: Tensor, generator: torch.Generator) -> Losses:
        """Return ``loss``: mean absolute error of the tokens plus commitment, summed over the levels."""
        found: Losses = {"loss": tokens.new_zeros(())}
        for name, level in (("coarse", self.coarse), ("fine", self.fine)):
            quantised: Quantised = level.quantiser(level.latents(tokens), generator)
            error = F.l1_loss(level.rebuilt(quantised.values), tokens)
            found["loss"] = found["loss"] + error + self.settings.commitment * quantised.commitment
            found |= {f"{name}_mel": error, f"{name}_distance": quantised.commitment}
        return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class TwoRateStageSettings:
    """Everything that decides a trained codec at two rates."""

    signal: SignalSettings
    codec: TwoRateSettings
    loop: LoopSettings


def _new(settings: TwoRateStageSettings, parts: Parts) -> TwoRateCodec:
    return TwoRateCodec(settings.codec, settings.signal.mel)


TWO_RATE_CODEC = codec_part(TwoRateStageSettings, _new, TWO_RATE_TAG)
