"""Order codes of several codebooks into steps, and back.

Codes have the shape (batch, n, n_books): one row a time, one column a codebook (or, of a grid, a frequency band). A
language model writes one row of steps at a time. With ``parallel`` a step holds all codes of a time; with ``delay``
codebook ``q`` comes ``q`` steps later (`facebookresearch/audiocraft@2ce177f` `DelayedPatternProvider`, without its
first step, which holds special codes only and is the model's start here); ``flat`` is one code a step, all of a time
before those of the next (of a grid that is column by column: `v-iashin/SpecVQGAN@5bc54f3` `ColumnMajor`).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from foleybench.errors import UnknownNameError, unknown

PATTERNS = ("delay", "parallel")


def delays_of(pattern: str, n_books: int) -> tuple[int, ...]:
    """Return by how many steps each codebook is late.

    Raises:
        UnknownNameError: There is no such pattern.

    Example:
        >>> delays_of("delay", 3), delays_of("parallel", 2)
        ((0, 1, 2), (0, 0))
    """
    if pattern not in PATTERNS:
        raise UnknownNameError(unknown("pattern", pattern, PATTERNS))
    return tuple(range(n_books)) if pattern == "delay" else (0,) * n_books


def delayed(codes: Tensor, delays: tuple[int, ...], fill: int) -> Tensor:
    """Return the steps of codes whose codebooks are late.

    Args:
        codes: Shape (batch, n, n_books).
        delays: Steps by which each codebook is late.
        fill: Code where a step has none of a codebook.

    Returns:
        Shape (batch, n + max(delays), n_books).

    Example:
        >>> delayed(torch.tensor([[[1, 4], [2, 5], [3, 6]]]), (0, 1), 9)[0].T.tolist()
        [[1, 2, 3, 9], [9, 4, 5, 6]]
    """
    longest = max(delays)
    books = [
        F.pad(book, (late, longest - late), value=fill) for book, late in zip(codes.unbind(2), delays, strict=True)
    ]
    return torch.stack(books, dim=2)


def undelayed(steps: Tensor, delays: tuple[int, ...]) -> Tensor:
    """Undo ``delayed``: return codes of shape (batch, n, n_books) from steps (batch, n + max(delays), n_books)."""
    n = steps.shape[1] - max(delays)
    books = [book[:, late : late + n] for book, late in zip(steps.unbind(2), delays, strict=True)]
    return torch.stack(books, dim=2)


def holds_code(n: int, delays: tuple[int, ...]) -> Tensor:
    """Return where the steps of ``n`` times hold a code and not a fill, shape (n + max(delays), n_books) bool."""
    times = torch.arange(n + max(delays))[:, None] - torch.tensor(delays)
    return (times >= 0) & (times < n)


def flattened(codes: Tensor) -> Tensor:
    """Return one code a step, shape (batch, n * n_books): all codes of a time, then those of the next.

    Example:
        >>> flattened(torch.tensor([[[1, 4], [2, 5], [3, 6]]])).tolist()
        [[1, 4, 2, 5, 3, 6]]
    """
    return codes.flatten(1)


def unflattened(row: Tensor, n_books: int) -> Tensor:
    """Undo ``flattened``: return codes of shape (batch, n, n_books)."""
    return row.reshape(len(row), -1, n_books)
