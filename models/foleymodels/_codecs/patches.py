"""Define a codec of mel patches.

Codes stand on a grid of bands and times. After the quantiser of `v-iashin/SpecVQGAN@5bc54f3`: convolutions over
frequency and time, one codebook for all places. Codes are running means (as in the residual codec here); there is
neither a discriminator nor a perceptual loss, which the published run did not load either.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._codecs.codec import Codec
from foleymodels._codecs.quantiser import ResidualQuantiser
from foleymodels._codecs.settings import CodecTrainingSettings
from foleymodels._codecs.stage import codec_part
from foleymodels._parts.mel import MelSettings
from foleymodels._parts.signal import SignalSettings
from foleymodels._systems.parts import Parts
from foleymodels._training.loop import Losses
from foleymodels._training.settings import LoopSettings

PATCH_TAG = "patch_codec"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PatchSettings(CodecTrainingSettings):
    """The settings that decide a trained codec of patches, beside the signal.

    Attributes:
        patch_channels: Channels of its convolutions.
        patch_blocks: Residual blocks at the resolution of the codes, on both sides.
        patch_bands: Mel bands of a patch, a power of two.
        patch_tokens: Mel tokens of a patch.
        patch_dim: Numbers that a code stands for.
        patch_codes: Codes of the codebook.
    """

    patch_channels: int = 48
    patch_blocks: int = 1
    patch_bands: int = 8
    patch_tokens: int = 2
    patch_dim: int = 32
    patch_codes: int = 512

    @classmethod
    def sizes(cls) -> dict[str, Any]:
        """Return the settings of every size."""
        large = cls(
            patch_channels=128, patch_blocks=2, patch_dim=64, patch_codes=1024, code_decay=0.99, codec_steps=12000,
            codec_batch=64, codec_rate=3e-4, codec_crop_s=4.0,
        )  # fmt: skip
        return {"tiny": cls(), "base": large, "std16k": large, "paper": large}


class PatchCodec(Codec):
    """Two-dimensional convolutions, one codebook, convolutions back; a position is a column of ``patch_tokens``.

    Its codes have the shape (batch, n_columns, n_rows), from low to high frequency in a column. When the number of
    tokens is no multiple, the last column is completed with the last token, and ``decode`` gives that column whole.
    """

    def __init__(self, settings: PatchSettings, mel: MelSettings) -> None:
        super().__init__()
        self.settings, self.mel = settings, mel
        self.n_codes, self.levels = settings.patch_codes, mel.n_mels // settings.patch_bands
        channels, dim = settings.patch_channels, settings.patch_dim
        strides = _strides(settings.patch_bands, settings.patch_tokens * mel.frames_per_token)
        ins, outs = (1, *[channels] * (len(strides) - 1)), (*[channels] * (len(strides) - 1), 1)
        down = [_Down(before, channels, stride) for before, stride in zip(ins, strides, strict=True)]
        up = [_Up(channels, after, stride) for after, stride in zip(outs, reversed(strides), strict=True)]
        blocks = ([_Residual(channels) for _ in range(settings.patch_blocks)] for _ in range(2))
        self.enter = nn.Sequential(*down, *next(blocks), nn.SiLU(), nn.Conv2d(channels, dim, 1))
        self.quantiser = ResidualQuantiser(1, self.n_codes, dim, settings.code_decay, settings.dead_below)
        self.leave = nn.Sequential(nn.Conv2d(dim, channels, 3, padding=1), *next(blocks), *up)
        for weight in self.parameters():  # channels last in memory: faster on a CPU
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)

    def latents(self, tokens: Tensor) -> Tensor:
        """Return what is quantised, normalised: (batch, n, token_dim) to (batch, n_columns, n_rows, patch_dim)."""
        per_column = self.settings.patch_tokens
        missing = -tokens.shape[1] % per_column
        whole = torch.cat([tokens, tokens[:, -1:].expand(-1, missing, -1)], dim=1)
        image = whole.reshape(len(whole), -1, self.mel.n_mels).transpose(1, 2)[:, None]
        out: Tensor = self.enter(image)
        return F.layer_norm(out.permute(0, 3, 2, 1), (self.settings.patch_dim,))

    @torch.no_grad()
    def encode(self, tokens: Tensor) -> Tensor:
        """Return codes, shape (batch, n_columns, n_rows) int64, of mel tokens (batch, n_tokens, token_dim)."""
        return self.quantiser.encode(self.latents(tokens))[..., 0]

    def decode(self, codes: Tensor) -> Tensor:
        """Return mel tokens (batch, n_columns * patch_tokens, token_dim) of codes (batch, n_columns, n_rows)."""
        return self._rebuilt(self.quantiser.decode(codes[..., None]))

    def losses(self, tokens: Tensor, generator: torch.Generator) -> Losses:
        """Return ``loss``: mean absolute error of the tokens plus commitment."""
        latents = self.latents(tokens)
        found = self.quantiser(latents.flatten(1, 2), generator)
        rebuilt = self._rebuilt(found.values.reshape(latents.shape))[:, : tokens.shape[1]]
        error = F.l1_loss(rebuilt, tokens)
        return {"loss": error + self.settings.commitment * found.commitment, "mel": error, "distance": found.commitment}

    def _rebuilt(self, values: Tensor) -> Tensor:
        image = self.leave(values.permute(0, 3, 2, 1))[:, 0].transpose(1, 2)
        tokens: Tensor = image.reshape(len(image), -1, self.mel.token_dim)
        return tokens


class _Down(nn.Sequential):
    def __init__(self, before: int, after: int, stride: tuple[int, int]) -> None:
        super().__init__(nn.Conv2d(before, after, (3, 3), stride=stride, padding=1), nn.SiLU())


class _Up(nn.Module):
    """Convolve, and lay groups of channels out over a finer grid."""

    def __init__(self, before: int, after: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self._stride = stride
        self.conv = nn.Conv2d(before, after * stride[0] * stride[1], 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(F.silu(x))
        batch, _, height, width = out.shape
        high, long = self._stride
        grouped = out.reshape(batch, -1, high, long, height, width).permute(0, 1, 4, 2, 5, 3)
        return grouped.reshape(batch, -1, height * high, width * long)


class _Residual(nn.Module):
    """Without a norm over the image: a code depends on its neighbourhood alone, so a clip may be longer than a crop."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1), nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.layers(x)
        return out


def _strides(bands: int, frames: int) -> list[tuple[int, int]]:
    """Return strides over (frequency, time) whose products are a patch, the largest first.

    Example:
        >>> _strides(8, 4)
        [(2, 2), (2, 2), (2, 1)]
    """
    found = []
    while bands > 1 or frames > 1:
        stride = (2 if bands > 1 else 1, 2 if frames > 1 else 1)
        found.append(stride)
        bands, frames = bands // stride[0], frames // stride[1]
    return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class PatchStageSettings:
    """Everything that decides a trained codec of patches."""

    signal: SignalSettings
    codec: PatchSettings
    loop: LoopSettings


def _new(settings: PatchStageSettings, parts: Parts) -> PatchCodec:
    return PatchCodec(settings.codec, settings.signal.mel)


PATCH_CODEC = codec_part(PatchStageSettings, _new, PATCH_TAG)
