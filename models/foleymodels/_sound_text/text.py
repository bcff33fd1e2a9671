"""Encode captions: a small transformer over words.

The table of words is made of the training captions and kept among the weights, so that a checkpoint reads text by
itself. A class name is a caption: ``hammer_bar`` has the words ``hammer`` and ``bar``.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from foleymodels._parts.blocks import Attention, rotary_table
from foleymodels._sound_text.settings import TextSettings

# Rows of the table that are no words: nothing, and a word that is not in the table.
PADDING, UNKNOWN = 0, 1
_FIRST_WORD = 2
_LONGEST_WORD = 24
_LONGEST_CAPTION = 24


def words_of(caption: str) -> list[str]:
    """Return the words of a caption, in lower case; at most 24, each cut at 24 bytes.

    Example:
        >>> words_of("Hammer_bar, slowly")
        ['hammer', 'bar', 'slowly']
    """
    found = re.findall(r"[^\W_]+", caption.lower())[:_LONGEST_CAPTION]
    return [word.encode()[:_LONGEST_WORD].decode(errors="ignore") for word in found]


def packed_texts(texts: Sequence[str], rows: int, width: int) -> Tensor:
    """Return texts as bytes, shape (rows, width) uint8, filled up with zeros; texts that do not fit are cut.

    Weights of a fixed shape can hold them: ``unpacked_texts`` gives the texts back.
    """
    table = torch.zeros(rows, width, dtype=torch.uint8)
    for row, text in enumerate(texts[:rows]):
        data = text.encode()[:width].decode(errors="ignore").encode()
        table[row, : len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else 0
    return table


def unpacked_texts(table: Tensor) -> list[str]:
    """Return the texts of ``packed_texts``, "" for empty rows."""
    return [bytes(row).rstrip(b"\0").decode() for row in table.cpu().tolist()]


class TextBlock(nn.Module):
    """Words attend to each other, then a feed-forward part."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(dim), nn.LayerNorm(dim)])
        self.attention = Attention(dim, heads)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.SiLU(), nn.Linear(2 * dim, dim))

    def forward(self, x: Tensor, table: Tensor, bias: Tensor) -> Tensor:
        """Apply to (batch, n, dim) with the rotations of positions and the bias that hides padding."""
        x = x + self.attention(self.norms[0](x), table, bias=bias)
        out: Tensor = x + self.mlp(self.norms[1](x))
        return out


class TextEncoder(nn.Module):
    """Captions to a state for every word.

    Attributes:
        words: The table of words as bytes, shape (text_words, 24) uint8; the first two rows are no words.
    """

    words: Tensor

    def __init__(self, settings: TextSettings) -> None:
        super().__init__()
        dim = settings.text_dim
        self._head_dim = dim // settings.text_heads
        self.register_buffer("words", torch.zeros(settings.text_words, _LONGEST_WORD, dtype=torch.uint8))
        self.enter = nn.Embedding(settings.text_words, dim)
        self.blocks = nn.ModuleList([TextBlock(dim, settings.text_heads) for _ in range(settings.text_blocks)])
        self.leave = nn.LayerNorm(dim)

    def learn_words(self, captions: Sequence[str]) -> None:
        """Fill the table with the most frequent words of the training captions, equally frequent ones by alphabet."""
        counts = collections.Counter(word for caption in captions for word in words_of(caption))
        ordered = sorted(counts, key=lambda word: (-counts[word], word))
        self.words.copy_(packed_texts(["", "", *ordered], *self.words.shape))

    def vocabulary(self) -> list[str]:
        """Return the words of the table, by row; "" where there is none."""
        return unpacked_texts(self.words)

    def rows(self, captions: Sequence[str]) -> Tensor:
        """Return the rows of captions' words, shape (n_captions, longest), at least one word long, 0 beyond the end."""
        known = {word: row for row, word in enumerate(self.vocabulary()) if row >= _FIRST_WORD and word}
        found = [[known.get(word, UNKNOWN) for word in words_of(caption)] for caption in captions]
        longest = max(1, *(len(row) for row in found))
        filled = [row + [PADDING] * (longest - len(row)) for row in found]
        return torch.tensor(filled, dtype=torch.int64, device=self.words.device)

    def forward(self, rows: Tensor) -> Tensor:
        """Return a state for every word of (batch, n) rows, shape (batch, n, text_dim); padding is not looked at."""
        x = self.enter(rows)
        hidden = (rows == PADDING).to(x.dtype) * -1e4  # finite: an empty caption still gets a defined average
        table = rotary_table(torch.arange(rows.shape[1], dtype=torch.float32), self._head_dim).to(x.device)
        for block in self.blocks:
            x = block(x, table, hidden[:, None, None])
        out: Tensor = self.leave(x)
        return out

    def pooled(self, captions: Sequence[str]) -> Tensor:
        """Return the mean state of each caption's words, shape (n_captions, text_dim)."""
        rows = self.rows(captions)
        kept = (rows != PADDING).float()
        states = self(rows) * kept[..., None]
        mean: Tensor = states.sum(1) / kept.sum(1, keepdim=True).clamp_min(1.0)
        return mean
