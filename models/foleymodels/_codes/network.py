"""Define the ends of networks: codes to vectors, vectors to logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._parts.blocks import Attention, ConvMLP


class CodeEmbedding(nn.Module):
    """Learned vectors of the codes of every level and of the mask, summed over levels."""

    def __init__(self, levels: int, n_codes: int, dim: int) -> None:
        super().__init__()
        self.tables = nn.Parameter(torch.randn(levels, n_codes + 1, dim) * dim**-0.5)

    def forward(self, codes: Tensor) -> Tensor:
        """Return vectors (batch, n, dim) of codes (batch, n, levels), ``n_codes`` where masked."""
        return summed_vectors(self.tables, codes)


class LookupEmbedding(nn.Module):
    """Vectors of the codec's own codebooks, frozen, and learned ones of the mask; summed over levels, then projected.

    Source: DragonLiu1995/video-to-audio-through-text@c8e51be, ``CodebookEmbedding``.
    """

    known: Tensor

    def __init__(self, known: Tensor, dim: int) -> None:
        """Take the codebooks, shape (levels, n_codes, latent_dim)."""
        super().__init__()
        self.register_buffer("known", known.detach().clone())
        self.mask = nn.Parameter(torch.randn(known.shape[0], 1, known.shape[2]))
        self.project = nn.Linear(known.shape[2], dim)

    def forward(self, codes: Tensor) -> Tensor:
        """Return vectors (batch, n, dim) of codes (batch, n, levels), ``n_codes`` where masked."""
        out: Tensor = self.project(summed_vectors(torch.cat([self.known, self.mask], dim=1), codes))
        return out


def summed_vectors(tables: Tensor, codes: Tensor) -> Tensor:
    """Return the codes' vectors, summed over levels: tables (levels, size, dim), codes (..., levels), to (..., dim)."""
    return torch.stack([F.embedding(codes[..., level], table) for level, table in enumerate(tables)]).sum(0)


class CodeHeads(nn.Module):
    """A linear head for every level."""

    def __init__(self, dim: int, levels: int, n_codes: int) -> None:
        super().__init__()
        self._shape = (levels, n_codes)
        self.linear = nn.Linear(dim, levels * n_codes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n, levels, n_codes) of (batch, n, dim)."""
        out: Tensor = self.linear(x).unflatten(-1, self._shape)
        return out


class MultiwayBlock(nn.Module):
    """A pre-normalised block with a feed-forward part for every modality, and one attention for all."""

    def __init__(self, dim: int, heads: int, hidden: int, modalities: int = 1) -> None:
        super().__init__()
        self.norm, self.mlp_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.mlps = nn.ModuleList([ConvMLP(dim, hidden, width=1) for _ in range(modalities)])

    def forward(self, x: Tensor, table: Tensor, lengths: tuple[int, ...] = (), bias: Tensor | None = None) -> Tensor:
        """Apply.

        Args:
            x: Shape (batch, n, dim): the modalities one after the other.
            table: Rotations of the positions.
            lengths: Positions of every modality, none or more; all of the first by default.
            bias: Added to the logits of the attention, shape (batch or 1, 1, 1, n), or None.

        Returns:
            Shape of ``x``.
        """
        x = x + self.attention(self.norm(x), table, bias=bias)
        parts = self.mlp_norm(x).split(lengths or (x.shape[1], *[0] * (len(self.mlps) - 1)), dim=1)
        out: Tensor = x + torch.cat([mlp(part) for mlp, part in zip(self.mlps, parts, strict=True)], dim=1)
        return out


def masked_loss(logits: Tensor, codes: Tensor, mask: Tensor, n_masked: float, smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy of masked codes.

    Args:
        logits: Shape (batch, n, levels, n_codes).
        codes: The true codes, shape (batch, n, levels).
        mask: True where they are masked; only these count.
        n_masked: What the sum is divided by: the masked codes of the whole batch over the number of processes, so that
            the mean over processes is the mean over the batch's masked codes.
        smoothing: Share of the target that is spread over all codes.
    """
    found = F.cross_entropy(logits[mask], codes[mask], label_smoothing=smoothing, reduction="sum")
    return found / max(1.0, n_masked)
