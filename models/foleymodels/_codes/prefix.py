"""Define networks that put a prefix before the codes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from foleymodels._codecs.codec import Codec, ResidualCodec
from foleymodels._codes.network import CodeHeads, LookupEmbedding
from foleymodels._parts.blocks import grid_times_s, rotary_table
from foleymodels._parts.mel import MelSettings
from foleymodels._systems.features import FeatureScale, features_at


class PrefixCodes(nn.Module):
    """A few video frames a second before the codes; systems add the blocks between.

    Codes enter as the frozen vectors of the codec's codebooks. An example without video has zeros for its frames.
    Source: DragonLiu1995/video-to-audio-through-text@c8e51be, ``VT2AModel``; positions are rotary
    in seconds here, and not its sinusoids and ALiBi.

    Attributes:
        scale: Standardises the features.
    """

    def __init__(
        self, codec: Codec, mel: MelSettings, condition_dim: int, *, dim: int, heads: int, rate_hz: float
    ) -> None:
        """Make the ends.

        Args:
            codec: The trained codec.
            mel: Settings of the mel tokens.
            condition_dim: Numbers of the features of a token.
            dim: Width.
            heads: Heads of the attentions.
            rate_hz: Frames a second in the prefix.
        """
        super().__init__()
        assert isinstance(codec, ResidualCodec)
        self.mel, self._rate_hz, self._head_dim = mel, rate_hz, dim // heads
        self.scale = FeatureScale(condition_dim)
        self.see = nn.Linear(condition_dim, dim)
        self.hear = LookupEmbedding(codec.codebooks(), dim)
        self.seen = nn.Parameter(torch.randn(dim) * 0.02)
        self.heard = nn.Parameter(torch.randn(dim) * 0.02)
        self.leave_norm = nn.LayerNorm(dim)
        self.leave = CodeHeads(dim, codec.levels, codec.n_codes)

    def frames(self, conditions: Tensor, dropped: Tensor) -> Tensor:
        """Return the prefix, shape (batch, m, dim).

        Args:
            conditions: Features of every token, shape (batch, n, condition_dim).
            dropped: Which examples are without video, shape (batch,).
        """
        found: Tensor = self.see(self.scale(features_at(conditions, self.mel.token_hz, self._rate_hz)))
        prefix: Tensor = found.masked_fill(dropped[:, None, None], 0.0) + self.seen
        return prefix

    def sounds(self, codes: Tensor) -> Tensor:
        """Return vectors of codes, shape (batch, n, dim)."""
        vectors: Tensor = self.hear(codes) + self.heard
        return vectors

    def tables(self, m: int, n: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the rotations of ``m`` frames and of ``n`` codes, whose positions are seconds."""
        times = grid_times_s(m, self._rate_hz), grid_times_s(n, self.mel.token_hz)
        frames, sounds = (rotary_table(of_part, self._head_dim).to(device) for of_part in times)
        return frames, sounds

    def logits(self, x: Tensor) -> Tensor:
        """Return logits (batch, n, levels, n_codes) of the last vectors (batch, n, dim)."""
        out: Tensor = self.leave(self.leave_norm(x))
        return out
