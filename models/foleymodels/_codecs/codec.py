"""Define the contract of codecs, and the residual codec."""

from __future__ import annotations

import abc

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._codecs.quantiser import Quantised, ResidualQuantiser
from foleymodels._codecs.settings import CodecSettings
from foleymodels._parts.blocks import Context, TimeConv
from foleymodels._parts.mel import MelSettings
from foleymodels._training.loop import Losses


class Codec(nn.Module, abc.ABC):
    """Mel tokens to codes and back.

    Attributes:
        mel: The mel tokens.
        n_codes: Codes of a codebook.
        levels: Codes of a position: Q.
    """

    mel: MelSettings
    n_codes: int
    levels: int

    @abc.abstractmethod
    def encode(self, tokens: Tensor) -> Tensor:
        """Return codes, shape (batch, n, Q) int64, of mel tokens (batch, n_tokens, token_dim)."""

    @abc.abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Return the mel tokens of codes, shape (batch, n_tokens, token_dim).

        Where a position holds several tokens, the last one may reach beyond what was encoded; callers cut that off.
        """

    @abc.abstractmethod
    def losses(self, tokens: Tensor, generator: torch.Generator) -> Losses:
        """Return ``loss`` and its parts, for tokens of this process, and let the codebooks learn.

        Args:
            tokens: Shape (batch, n_tokens, token_dim).
            generator: Source of all that is random, alike in every process.
        """


class ResidualCodec(Codec):
    """Convolutions over time, a residual quantiser, convolutions back; one position a mel token."""

    def __init__(self, settings: CodecSettings, mel: MelSettings) -> None:
        super().__init__()
        self.settings, self.mel = settings, mel
        self.n_codes, self.levels = settings.codebook_size, settings.codec_levels
        dim = settings.codec_dim
        self.enter = nn.Sequential(
            TimeConv(mel.token_dim, dim, 3), *self._blocks(), nn.Linear(dim, settings.latent_dim)
        )
        self.quantiser = ResidualQuantiser(
            self.levels, self.n_codes, settings.latent_dim, settings.code_decay, settings.dead_below
        )
        self.leave = nn.Sequential(
            TimeConv(settings.latent_dim, dim, 3), *self._blocks(), nn.Linear(dim, mel.token_dim)
        )

    def latents(self, tokens: Tensor) -> Tensor:
        """Return what is quantised, normalised over its width: (batch, n, token_dim) to (batch, n, latent_dim)."""
        return F.layer_norm(self.enter(tokens), (self.settings.latent_dim,))

    @torch.no_grad()
    def encode(self, tokens: Tensor) -> Tensor:
        """Return codes, shape (batch, n, Q) int64, of mel tokens (batch, n, token_dim)."""
        return self.quantiser.encode(self.latents(tokens))

    def decode(self, codes: Tensor) -> Tensor:
        """Return mel tokens (batch, n, token_dim) of codes (batch, n, Q), or of their first levels."""
        out: Tensor = self.leave(self.quantiser.decode(codes))
        return out

    def losses(self, tokens: Tensor, generator: torch.Generator) -> Losses:
        """Return ``loss``: mean absolute error of the tokens plus commitment."""
        found: Quantised = self.quantiser(self.latents(tokens), generator, self.settings.level_drop_p)
        error = F.l1_loss(self.leave(found.values), tokens)
        return {"loss": error + self.settings.commitment * found.commitment, "mel": error, "distance": found.commitment}

    def codebooks(self) -> Tensor:
        """Return the vectors of the codes, shape (levels, n_codes, latent_dim)."""
        return self.quantiser.codebooks()

    def _blocks(self) -> list[nn.Module]:
        return [Context(self.settings.codec_dim) for _ in range(self.settings.codec_blocks)]
