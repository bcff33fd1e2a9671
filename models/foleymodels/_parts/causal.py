"""Define a causal transformer that writes a sequence step by step.

A decoder of the kind of GPT: pre-normalised self-attention over the positions so far, cross-attention to a memory where
there is one, and a feed-forward part of single positions. What a position is given beside the codes (a prefix, a start
vector, an added condition, learned positions) is part of its input, which the systems make.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from foleymodels._parts.blocks import Attention, ConvMLP, KeyValues, rotary_table


class Cache:
    """The keys and values of every block, so that a step costs its own position only.

    Attributes:
        own: Of the self-attentions.
        cross: Of the cross-attentions.
    """

    def __init__(self, n_blocks: int) -> None:
        self.own = [KeyValues() for _ in range(n_blocks)]
        self.cross = [KeyValues() for _ in range(n_blocks)]

    def __len__(self) -> int:
        """Return the number of positions so far."""
        return len(self.own[0])


class Memory:
    """What cross-attention looks at.

    Attributes:
        values: Shape (batch, m, memory_dim).
        table: Rotations of its positions, or None.
        visible: True where a position of the sequence may look, shape (n, m), for the positions of the present call;
            None for everywhere. Every position sees at least one place.
    """

    def __init__(self, values: Tensor, table: Tensor | None = None, visible: Tensor | None = None) -> None:
        self.values, self.table, self.visible = values, table, visible


class CausalBlock(nn.Module):
    """A block whose positions see themselves and those before."""

    def __init__(self, dim: int, heads: int, hidden: int, memory_dim: int | None) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.cross_norm = None if memory_dim is None else nn.LayerNorm(dim)
        self.cross = None if memory_dim is None else Attention(dim, heads, memory_dim)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = ConvMLP(dim, hidden, width=1)

    def forward(
        self, x: Tensor, table: Tensor | None, mask: Tensor | None, memory: Memory | None, own: KeyValues | None,
        cross: KeyValues | None,
    ) -> Tensor:  # fmt: skip
        """Apply to (batch, n, dim)."""
        x = x + self.attention(self.norm(x), table, bias=mask, cache=own)
        if self.cross is not None and self.cross_norm is not None and memory is not None:
            x = x + self.cross(self.cross_norm(x), table, memory.values, memory.table, memory.visible, cross)
        out: Tensor = x + self.mlp(self.mlp_norm(x))
        return out


class CausalTransformer(nn.Module):
    """Blocks, and a last norm."""

    def __init__(self, dim: int, heads: int, hidden: int, n_blocks: int, memory_dim: int | None = None) -> None:
        """Make the network.

        Args:
            dim: Width.
            heads: Heads of every attention.
            hidden: Width of the feed-forward parts.
            n_blocks: Number of blocks.
            memory_dim: Width of what cross-attention looks at; None for no cross-attention.
        """
        super().__init__()
        self.heads = heads
        self.blocks = nn.ModuleList([CausalBlock(dim, heads, hidden, memory_dim) for _ in range(n_blocks)])
        self.norm = nn.LayerNorm(dim)

    def new_cache(self) -> Cache:
        """Return the empty cache of a sequence."""
        return Cache(len(self.blocks))

    def forward(
        self, x: Tensor, table: Tensor | None = None, memory: Memory | None = None, cache: Cache | None = None
    ) -> Tensor:
        """Apply to positions of a sequence: all of them, or with a cache those after the ones it holds.

        Args:
            x: Shape (batch, n, dim).
            table: Rotations of these positions; None where positions are in ``x`` itself.
            memory: What cross-attention looks at, with what these positions may see of it.
            cache: Keys and values of the positions before; those of ``x`` are added.

        Returns:
            Shape (batch, n, dim).
        """
        mask = causal_mask(x.shape[1], 0 if cache is None else len(cache), x.device)
        for index, block in enumerate(self.blocks):
            own, cross = (None, None) if cache is None else (cache.own[index], cache.cross[index])
            x = block(x, table, mask, memory, own, cross)
        out: Tensor = self.norm(x)
        return out


def causal_mask(n: int, n_before: int, device: torch.device) -> Tensor | None:
    """Return where positions may look: themselves and before, shape (n, n_before + n) bool; None for everywhere."""
    if n == 1:
        return None
    at = torch.arange(n_before, n_before + n, device=device)
    return torch.arange(n_before + n, device=device)[None] <= at[:, None]


def position_sines(times_s: Tensor, dim: int) -> Tensor:
    """Return cosines and sines of times in seconds, shape (n, dim): positions that are added to a sequence."""
    table = rotary_table(times_s, dim)
    return torch.cat([table.real, table.imag], dim=-1)
