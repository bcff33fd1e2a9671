"""Write a grid of codes column by column.

A prefix of frame features comes first. After `v-iashin/SpecVQGAN@5bc54f3` (Iashin and Rahtu 2021, arXiv 2110.08791).
``MODEL_CARD.md`` says what is kept.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._autoregression.settings import WriterSettings
from foleymodels._autoregression.writer import CodeWriter, Writing, continued, to_draw, writer_generator, writer_part
from foleymodels._codecs.codec import Codec
from foleymodels._codecs.patches import PATCH_CODEC, PatchSettings
from foleymodels._parts.causal import CausalTransformer
from foleymodels._parts.code_patterns import flattened, unflattened
from foleymodels._parts.code_sampling import write_codes
from foleymodels._parts.draws import Draws
from foleymodels._parts.settings import choice
from foleymodels._parts.signal import SignalSettings
from foleymodels._parts.windows import Windows
from foleymodels._systems.features import FRAME_FEATURES, FeatureScale, features_at
from foleymodels._systems.settings import FeatureSettings
from foleymodels._systems.system import System
from foleymodels._training.loop import Losses
from foleymodels._training.settings import LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class SpecVqganWriterSettings(WriterSettings):
    """The settings of the transformer.

    Attributes:
        n_features: Features of the prefix: ``all`` frames of the stretch, ``5`` or ``1``.
    """

    net_dim: int = 128
    net_hidden: int = 256
    net_drop_p: float = 0.0
    guidance: float = 1.0
    top_k: int = 50
    n_features: str = choice("all", "5", "1")

    @classmethod
    def shapes(cls) -> dict[str, dict[str, Any]]:
        """Return by size the fields that differ from the defaults: 50 of 512 codes are 100 of 1024."""
        large = {"net_dim": 512, "net_blocks": 12, "net_heads": 8, "net_hidden": 2048, "top_k": 100}
        larger = {**large, "net_dim": 768, "net_heads": 12, "net_hidden": 3072}
        return {"base": large, "std16k": larger, "paper": larger}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SpecVqganSettings:
    """The settings that decide a trained system."""

    signal: SignalSettings
    alignment: FeatureSettings
    codec: PatchSettings
    net: SpecVqganWriterSettings
    loop: LoopSettings


class SpecVqganWriter(CodeWriter):
    """A sequence of features, then codes: all of a time column from low to high, then the next column."""

    def __init__(self, settings: SpecVqganSettings, feature_dim: int, codec: Codec) -> None:
        super().__init__()
        signal, net, dim = settings.signal, settings.net, settings.net.net_dim
        self.settings, self.n_codes, self.levels = net, codec.n_codes, codec.levels
        self.token_hz, self.grid_hz = signal.mel.token_hz, signal.grid_hz
        self.per_column = settings.codec.patch_tokens
        self.columns = max(1, signal.tokens(net.net_crop_s) // self.per_column)
        self.longest = self.columns * self.per_column
        most_frames = round(self.longest * self.grid_hz / self.token_hz)
        self.n_features = most_frames if net.n_features == "all" else min(most_frames, int(net.n_features))
        self.scale = FeatureScale(feature_dim)
        self.see = nn.Linear(feature_dim, dim)
        self.null = nn.Parameter(torch.zeros(dim)) if net.net_drop_p else None
        self.embed = nn.Embedding(codec.n_codes, dim)
        self.prefix_positions = nn.Parameter(torch.zeros(self.n_features, dim))
        self.code_positions = nn.Parameter(torch.zeros(self.columns * codec.levels, dim))
        for table in (self.embed.weight, self.prefix_positions, self.code_positions):
            nn.init.normal_(table, std=0.02)
        self.decoder = CausalTransformer(dim, net.net_heads, net.net_hidden, net.net_blocks)
        self.head = nn.Linear(dim, codec.n_codes, bias=False)

    def prefix(self, features: Tensor, dropped: Tensor) -> Tensor:
        """Return the prefix of a stretch, shape (batch, at most n_features, dim).

        Args:
            features: One for each mel token, shape (batch, n_tokens, feature_dim).
            dropped: Rows that get the null vector.
        """
        frames = features_at(features, self.token_hz, self.grid_hz)
        chosen = self.scale(frames[:, prefix_frames(frames.shape[1], self.n_features)])
        seen: Tensor = self.see(chosen)
        if self.null is not None:
            seen = torch.where(dropped[:, None, None], self.null, seen)
        return seen + self.prefix_positions[: seen.shape[1]]

    def placed(self, codes: Tensor, first: int = 0) -> Tensor:
        """Return the input of codes (batch, n) that stand at places from ``first`` on, shape (batch, n, dim)."""
        out: Tensor = self.embed(codes) + self.code_positions[first : first + codes.shape[1]]
        return out

    def losses(self, codes: Tensor, features: Tensor, dropped: Tensor) -> Losses:
        """Return the mean cross-entropy of all codes of the stretch."""
        row = flattened(codes)
        prefix = self.prefix(features, dropped)
        hidden = self.decoder(torch.cat([prefix, self.placed(row[:, :-1])], dim=1))
        # The output at the last feature is that of the first code; those at earlier features are cut off.
        logits = self.head(hidden[:, prefix.shape[1] - 1 :]).float()
        return {"loss": F.cross_entropy(logits.flatten(0, 1), row.flatten())}

    def write(self, features: Tensor, how: Writing, rng: Draws) -> Tensor:
        """Write the codes of clips, shape (batch, n_columns, levels)."""
        windows = self._windows(features.shape[1])

        def written(first: int, known: Tensor) -> Tensor:
            part = features[:, first * self.per_column : (first + windows.length) * self.per_column]
            return self._window(part, to_draw(known, windows.length), how, rng)

        start = torch.zeros(len(features), 0, self.levels, dtype=torch.int64, device=features.device)
        return continued(windows, written, start)

    def evaluations(self, n_tokens: int) -> int:
        """Return the codes of all windows."""
        windows = self._windows(n_tokens)
        return len(windows.starts) * windows.length * self.levels

    def _windows(self, n_tokens: int) -> Windows:
        return Windows.cover(-(-n_tokens // self.per_column), self.columns)

    def _window(self, features: Tensor, forced: Tensor, how: Writing, rng: Draws) -> Tensor:
        prefix = self.prefix(how.twice(features), how.dropped(len(features), features.device))
        cache = self.decoder.new_cache()

        def next_logits(before: Tensor | None) -> Tensor:
            first = len(cache) - prefix.shape[1]
            x = prefix if before is None else self.placed(how.twice(before), first)
            hidden = self.decoder(x, cache=cache)
            return how.logits(self.head(hidden[:, -1:]))

        row = write_codes(next_logits, flattened(forced)[..., None], how.sampling, rng)
        return unflattened(row[..., 0], self.levels)


def prefix_frames(n_frames: int, n: int) -> Tensor:
    """Return the frames of a prefix of ``n`` features, evenly spread, or all where there are fewer.

    The rule of `v-iashin/SpecVQGAN@5bc54f3` `ResampleFrames`: steps of n_frames / n from the start, rounded down, moved
    by n_frames // (n + 1). One feature is the frame in the middle.

    Example:
        >>> prefix_frames(51, 1).tolist(), prefix_frames(51, 5).tolist(), prefix_frames(3, 5).tolist()
        ([25], [8, 18, 28, 38, 48], [0, 1, 2])
    """
    n = min(n, n_frames)
    starts = np.linspace(0, n_frames, n, endpoint=False).astype(np.int64)
    return torch.from_numpy(starts + n_frames // (n + 1))


WRITER = writer_part(SpecVqganSettings, SpecVqganWriter, "specvqgan")
SYSTEM = System(
    name="specvqgan",
    settings=SpecVqganSettings,
    parts=(FRAME_FEATURES, PATCH_CODEC, WRITER),
    generator=writer_generator,
)
