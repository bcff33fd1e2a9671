"""Define transformer parts that the alignment network and flow share.

Positions are seconds, so audio tokens and video frames of any rate share one clock. Attention is QK-normalised; the
feed-forward part looks one token to each side, which is what makes attacks sharp at small sizes.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SHORTEST_S = 0.04
_LONGEST_S = 40.0
# Frequencies of flow time, in radians per unit: low, since 1-step heads are trained through the time derivative.
_FASTEST = 30.0
_WRITTEN_OUT = contextvars.ContextVar("norms are written out", default=False)


def rotary_table(times_s: Tensor, head_dim: int) -> Tensor:
    """Return the rotations of positions given in seconds.

    Args:
        times_s: Shape (n,).
        head_dim: Even.

    Returns:
        Complex unit numbers, shape (n, head_dim // 2); periods run geometrically from 40 ms to 40 s times 2 pi.
    """
    n_pairs = head_dim // 2
    exponents = torch.arange(n_pairs, dtype=torch.float32) / max(1, n_pairs - 1)
    periods_s = _SHORTEST_S * (_LONGEST_S / _SHORTEST_S) ** exponents
    angles = times_s.float()[:, None] / periods_s[None]
    return torch.polar(torch.ones_like(angles), angles)


@functools.lru_cache(maxsize=64)
def grid_table(n: int, grid_hz: float, head_dim: int, device: torch.device) -> Tensor:
    """Return ``rotary_table`` of the middles of a grid's intervals, made once on the CPU and kept on the device."""
    with torch.inference_mode(False):  # kept tensors are used in training as well
        return rotary_table(grid_times_s(n, grid_hz), head_dim).to(device)


@functools.lru_cache(maxsize=64)
def grid_bias(
    queries: tuple[int, float], keys: tuple[int, float], heads: int, local_heads: int, half_width_s: float,
    device: torch.device,
) -> Tensor:  # fmt: skip
    """Return ``window_bias`` between two grids, each given as (n, its rate in Hz), kept like ``grid_table``."""
    with torch.inference_mode(False):
        bias = window_bias(grid_times_s(*queries), grid_times_s(*keys), heads, local_heads, half_width_s)
        return bias.to(device)


def grid_times_s(n: int, grid_hz: float) -> Tensor:
    """Return the middles of a grid's intervals in seconds, shape (n,)."""
    return (torch.arange(n, dtype=torch.float32) + 0.5) / grid_hz


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Rotate pairs of features by their position.

    Args:
        x: Shape (batch, heads, n, head_dim).
        table: From ``rotary_table``, shape (n, head_dim // 2).

    Returns:
        Shape of ``x``.
    """
    cosine, sine = table.real.to(x.device), table.imag.to(x.device)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def window_bias(
    query_times_s: Tensor, key_times_s: Tensor, heads: int, local_heads: int, half_width_s: float
) -> Tensor:
    """Return the attention bias that keeps some heads within a window of time.

    Returns:
        Shape (heads, n_queries, n_keys): 0 where a head may look, -1e4 elsewhere (finite, so that a query whose window
        holds no key still gets a defined average); the first ``local_heads`` are local.
    """
    distance_s = (query_times_s[:, None] - key_times_s[None, :]).abs()
    outside = (distance_s > half_width_s).float() * -1e4
    return torch.stack([outside if head < local_heads else torch.zeros_like(outside) for head in range(heads)])


class KeyValues:
    """Keys and values that an attention has computed already, so that a step of a sequence computes only its own.

    Attributes:
        key: Shape (batch, heads, n, head_dim), rotated; None before the first step.
        value: Shape (batch, heads, n, head_dim).
    """

    def __init__(self) -> None:
        self.key: Tensor | None = None
        self.value: Tensor | None = None

    def __len__(self) -> int:
        """Return the number of positions."""
        return 0 if self.key is None else self.key.shape[2]

    def extended(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add further positions; returns the keys and values of all."""
        if self.key is not None and self.value is not None:
            key, value = torch.cat([self.key, key], dim=2), torch.cat([self.value, value], dim=2)
        self.key, self.value = key, value
        return key, value


class Attention(nn.Module):
    """Multi-head attention with QK-RMSNorm and rotary positions; cross-attention when given other keys."""

    def __init__(self, dim: int, heads: int, key_dim: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(key_dim or dim, 2 * dim)
        self.query_norm = nn.RMSNorm(dim // heads, eps=1e-6)
        self.key_norm = nn.RMSNorm(dim // heads, eps=1e-6)
        self.out = nn.Linear(dim, dim)

    def forward(
        self,
        x: Tensor,
        table: Tensor | None,
        keys: Tensor | None = None,
        key_table: Tensor | None = None,
        bias: Tensor | None = None,
        cache: KeyValues | None = None,
    ) -> Tensor:
        """Attend.

        Args:
            x: Queries, shape (batch, n, dim).
            table: Rotations of the queries; None where positions are in ``x`` itself.
            keys: Shape (batch, m, key_dim), or None for self-attention.
            key_table: Rotations of the keys, needed with ``keys`` and ``table``.
            bias: Added to the logits, shape (heads, n, m); or bool, True where a query may look.
            cache: Keys and values so far: extended by those of ``x``; of cross-attention, computed once and kept.

        Returns:
            Shape (batch, n, dim).
        """
        query = _normed(self.query_norm, self._split(self.query(x)))
        query = query if table is None else rotate(query, table)
        key, value = self._key_value(x, table, cache) if keys is None else self._cross(keys, key_table, cache)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=None if bias is None else bias.to(x.device))
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    def _key_value(self, source: Tensor, table: Tensor | None, cache: KeyValues | None) -> tuple[Tensor, Tensor]:
        key, value = (self._split(part) for part in self.key_value(source).chunk(2, dim=-1))
        key = _normed(self.key_norm, key)
        key = key if table is None else rotate(key, table)
        return (key, value) if cache is None else cache.extended(key, value)

    def _cross(self, keys: Tensor, table: Tensor | None, cache: KeyValues | None) -> tuple[Tensor, Tensor]:
        if cache is not None and cache.key is not None and cache.value is not None:
            return cache.key, cache.value
        return self._key_value(keys, table, cache)

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)


def _normed(norm: nn.RMSNorm, x: Tensor) -> Tensor:
    """Normalise in the weight's precision, which is finer than that of ``x`` under autocast."""
    x = x.to(norm.weight.dtype)
    if _WRITTEN_OUT.get():
        assert norm.eps is not None
        return x * (x.square().mean(-1, keepdim=True) + norm.eps).rsqrt() * norm.weight
    out: Tensor = norm(x)
    return out


@contextlib.contextmanager
def norms_written_out() -> Iterator[None]:
    """Compute norms from plain operations within: a GPU's fused kernel need not have a forward-mode derivative."""
    token = _WRITTEN_OUT.set(True)
    try:
        yield
    finally:
        _WRITTEN_OUT.reset(token)


class TimeConv(nn.Module):
    """Convolution over tokens, on (batch, n, dim); written as one matrix product, the fastest form on a CPU."""

    def __init__(self, dim_in: int, dim_out: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.linear = nn.Linear(dim_in * width, dim_out)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve with zeros beyond both ends; shape (batch, n, dim_in) to (batch, n, dim_out)."""
        half = self.width // 2
        padded = F.pad(x, (0, 0, half, half))
        n = x.shape[1]
        wide = torch.cat([padded[:, shift : shift + n] for shift in range(self.width)], dim=-1)
        out: Tensor = self.linear(wide)
        return out


class Context(nn.ModuleList):
    """Two residual convolutions over five tokens each, which give every feature its neighbours."""

    def __init__(self, dim: int) -> None:
        super().__init__([TimeConv(dim, dim, 5), TimeConv(dim, dim, 5)])

    def forward(self, x: Tensor) -> Tensor:
        """Apply to (batch, n, dim)."""
        for layer in self:
            x = x + F.silu(layer(F.layer_norm(x, x.shape[-1:])))
        return x


class ConvMLP(nn.Module):
    """Feed-forward part whose first layer spans ``width`` tokens."""

    def __init__(self, dim: int, hidden: int, width: int = 3) -> None:
        super().__init__()
        self.enter = TimeConv(dim, hidden, width)
        self.leave = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Apply to (batch, n, dim)."""
        out: Tensor = self.leave(F.silu(self.enter(x)))
        return out


class ModulatedBlock(nn.Module):
    """A transformer block whose scales, shifts and gates come from a condition of its own for every token.

    AdaLN-single (one shared projection outside, a learned table per block here) in the per-token form.
    """

    def __init__(self, dim: int, heads: int, hidden: int, width: int = 3) -> None:
        super().__init__()
        self.attention = Attention(dim, heads)
        self.mlp = ConvMLP(dim, hidden, width)
        self.table = nn.Parameter(torch.zeros(6, dim))

    def forward(self, x: Tensor, modulation: Tensor, table: Tensor) -> Tensor:
        """Apply.

        Args:
            x: Shape (batch, n, dim).
            modulation: Shared projection of the condition, shape (batch, n, 6, dim).
            table: Rotations of the tokens.

        Returns:
            Shape (batch, n, dim).
        """
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = (modulation + self.table).unbind(2)
        x = x + gate_a * self.attention(modulate(x, shift_a, scale_a), table)
        out: Tensor = x + gate_m * self.mlp(modulate(x, shift_m, scale_m))
        return out


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Layer-normalise without learned affine, then scale by ``1 + scale`` and shift."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


def time_embedding(tau: Tensor, dim: int) -> Tensor:
    """Return sinusoids of flow times in [0, 1], shape (batch, dim)."""
    frequencies = torch.exp(torch.linspace(0.0, math.log(_FASTEST), dim // 2, device=tau.device))
    angles = tau[:, None] * frequencies[None]
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)
