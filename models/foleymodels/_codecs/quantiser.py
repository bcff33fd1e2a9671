"""Quantise vectors by codebooks that are running means.

Sources: van den Oord, Vinyals, Kavukcuoglu 2017, "Neural discrete representation learning", appendix A.1 (codes as
exponential moving averages); Zeghidour et al. 2021, "SoundStream", sections III-C (residual levels, dropout of levels,
replacement of codes that are no longer used).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from foleymodels._training.data_parallel import share


class Quantised(NamedTuple):
    """Vectors and what they became.

    Attributes:
        values: Their quantised values, with the gradient of the vectors (straight through), shape of the vectors.
        codes: Shape (..., levels) int64.
        commitment: Mean squared distance of the vectors from their codes, over all levels.
    """

    values: Tensor
    codes: Tensor
    commitment: Tensor


class Codebook(nn.Module):
    """One codebook.

    Attributes:
        codes: Shape (size, dim).
        counts: Running number of vectors a step that take each code, shape (size,).
        sums: Running sum of these vectors, shape (size, dim).
    """

    codes: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, size: int, dim: int, decay: float, dead_below: float) -> None:
        super().__init__()
        self._decay, self._dead_below = decay, dead_below
        # All counts are 0, so the first step replaces every code by a vector of its batch.
        self.register_buffer("codes", torch.randn(size, dim))
        self.register_buffer("counts", torch.zeros(size))
        self.register_buffer("sums", torch.zeros(size, dim))

    def nearest(self, vectors: Tensor) -> Tensor:
        """Return the code nearest to each vector, the first of equals: (..., dim) to (...) int64."""
        flat = vectors.reshape(-1, vectors.shape[-1]).float()
        # |v|^2 is the same for all codes and left out.
        away = self.codes.square().sum(1) - 2 * flat @ self.codes.T
        return away.argmin(1).reshape(vectors.shape[:-1])

    def values(self, codes: Tensor) -> Tensor:
        """Return the vectors of codes: (...) int64 to (..., dim)."""
        return self.codes[codes]

    @torch.no_grad()
    def update(self, vectors: Tensor, codes: Tensor) -> None:
        """Move codes towards the mean of the vectors that took them.

        Args:
            vectors: Shape (n, dim), of the whole batch.
            codes: Shape (n,).
        """
        size = len(self.codes)
        counts = torch.bincount(codes, minlength=size).to(self.counts)
        sums = torch.zeros_like(self.sums).index_add_(0, codes, vectors.to(self.sums))
        self.counts.mul_(self._decay).add_(counts, alpha=1 - self._decay)
        self.sums.mul_(self._decay).add_(sums, alpha=1 - self._decay)
        alive = self.counts > 0
        self.codes[alive] = self.sums[alive] / self.counts[alive, None]

    @torch.no_grad()
    def revive(self, vectors: Tensor, generator: torch.Generator) -> int:
        """Replace dead codes by random vectors of the batch; return how many were.

        Args:
            vectors: Shape (n, dim), of the whole batch.
            generator: On the CPU, alike in every process.
        """
        dead = torch.nonzero(self.counts < self._dead_below)[:, 0]
        if len(dead):
            order = torch.randperm(len(vectors), generator=generator).to(vectors.device)
            taken = vectors[order[torch.arange(len(dead), device=order.device) % len(order)]]
            self.codes[dead] = taken.to(self.codes)
            # A running count with which it lives for some steps even when nothing takes it.
            self.counts[dead] = 2 * self._dead_below
            self.sums[dead] = 2 * self._dead_below * self.codes[dead]
        return len(dead)


class ResidualQuantiser(nn.Module):
    """Codebooks in a row: each quantises what those before left."""

    def __init__(self, levels: int, size: int, dim: int, decay: float, dead_below: float) -> None:
        super().__init__()
        self.books = nn.ModuleList([Codebook(size, dim, decay, dead_below) for _ in range(levels)])

    def encode(self, vectors: Tensor) -> Tensor:
        """Return the codes of vectors: (..., dim) to (..., levels) int64."""
        rest, found = vectors.float(), []
        for book in self._books():
            codes = book.nearest(rest)
            rest = rest - book.values(codes)
            found.append(codes)
        return torch.stack(found, dim=-1)

    def decode(self, codes: Tensor) -> Tensor:
        """Return the vectors of codes: (..., levels), or the first levels of it, to (..., dim)."""
        books = self._books()[: codes.shape[-1]]
        return torch.stack([book.values(codes[..., level]) for level, book in enumerate(books)]).sum(0)

    def codebooks(self) -> Tensor:
        """Return the vectors of all codes, shape (levels, size, dim)."""
        return torch.stack([book.codes for book in self._books()])

    def forward(self, vectors: Tensor, generator: torch.Generator | None = None, drop_p: float = 0.0) -> Quantised:
        """Quantise, and in training let the codebooks learn.

        Args:
            vectors: Shape (batch, n, dim).
            generator: Source of replaced codes and left out levels; the codebooks learn only when one is given.
            drop_p: Share of examples that keep only their first levels, at least one.
        """
        kept = self._kept_levels(len(vectors), generator, drop_p).to(vectors.device)
        rest, values, codes, distances = vectors.float(), torch.zeros_like(vectors, dtype=torch.float32), [], []
        for level, book in enumerate(self._books()):
            chosen = book.nearest(rest)
            value = book.values(chosen)  # a copy, taken before the codebook moves
            codes.append(chosen)
            distances.append((rest - value).square().mean())
            if generator is not None:
                self._learn(book, rest, chosen, generator)
            used = (kept > level)[:, None, None]
            values = values + torch.where(used, value, torch.zeros_like(value))
            rest = rest - value
        # The value of the codes with the gradient of the vectors.
        passed = vectors + (values - vectors).detach()
        return Quantised(passed, torch.stack(codes, dim=-1), torch.stack(distances).mean())

    def _learn(self, book: Codebook, rest: Tensor, chosen: Tensor, generator: torch.Generator) -> None:
        whole = share().gathered(rest.detach()).reshape(-1, rest.shape[-1])
        if bool(whole.isfinite().all()):  # a step that is left out leaves no trace here either
            book.update(whole, share().gathered(chosen).reshape(-1))
            book.revive(whole, generator)

    def _kept_levels(self, batch: int, generator: torch.Generator | None, drop_p: float) -> Tensor:
        """Return how many levels each example keeps, shape (batch,)."""
        levels = len(self.books)
        if generator is None or not drop_p:
            return torch.full((batch,), levels)
        n = batch * share().of
        fewer = torch.randint(1, levels + 1, (n,), generator=generator)
        dropped = torch.rand(n, generator=generator) < drop_p
        return share().rows(torch.where(dropped, fewer, torch.full_like(fewer, levels)))

    def _books(self) -> list[Codebook]:
        return [book for book in self.books if isinstance(book, Codebook)]
