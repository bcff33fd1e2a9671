"""Write residual codes by a decoder with cross-attention to frames.

After FoleyGen (Mei et al. 2023, arXiv 2309.10537), which has no public code; what its paper shares with
`facebookresearch/audiocraft@2ce177f` is taken from there. ``MODEL_CARD.md`` says what is kept and what is not known.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._autoregression.settings import WriterSettings
from foleymodels._autoregression.writer import CodeWriter, Writing, continued, to_draw, writer_generator, writer_part
from foleymodels._codecs.codec import Codec
from foleymodels._codecs.settings import CodecSettings
from foleymodels._codecs.stage import RESIDUAL_CODEC
from foleymodels._parts.blocks import grid_times_s
from foleymodels._parts.causal import Cache, CausalTransformer, Memory, position_sines
from foleymodels._parts.code_patterns import delayed, delays_of, holds_code, undelayed
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
class FoleyGenWriterSettings(WriterSettings):
    """The settings of the language model.

    Attributes:
        visual_mask: Frames that a step may look at: ``all``, ``causal`` (up to its own time) or ``frame`` (the one of
            its own time).
        pattern: ``delay`` or ``parallel``.
    """

    net_hidden: int = 256
    top_k: int = 31
    visual_mask: str = choice("all", "causal", "frame")
    pattern: str = choice("delay", "parallel")

    @classmethod
    def shapes(cls) -> dict[str, dict[str, Any]]:
        """Return by size the fields that differ from the defaults: 31 of 256 codes are 250 of 2048."""
        large = {"net_dim": 512, "net_blocks": 9, "net_heads": 8, "net_hidden": 2048, "top_k": 125}
        larger = {**large, "net_dim": 768, "net_heads": 12, "net_hidden": 3072}
        return {"base": large, "std16k": larger, "paper": larger}


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoleyGenSettings:
    """The settings that decide a trained system."""

    signal: SignalSettings
    alignment: FeatureSettings
    codec: CodecSettings
    net: FoleyGenWriterSettings
    loop: LoopSettings


class FoleyGenWriter(CodeWriter):
    """One step holds a code of every codebook, late by the pattern; a head for each codebook."""

    def __init__(self, settings: FoleyGenSettings, feature_dim: int, codec: Codec) -> None:
        super().__init__()
        net, dim = settings.net, settings.net.net_dim
        self.settings, self.n_codes, self.levels = net, codec.n_codes, codec.levels
        self.token_hz, self.grid_hz = settings.signal.mel.token_hz, settings.signal.grid_hz
        self.longest = settings.signal.tokens(net.net_crop_s)
        self.delays = delays_of(net.pattern, codec.levels)
        self.scale = FeatureScale(feature_dim)
        self.see = nn.Linear(feature_dim, dim)
        self.null = nn.Parameter(torch.zeros(dim))
        # One code more than the codebook has: what stands where a step has none, and before the first step.
        self.embed = nn.ModuleList([nn.Embedding(codec.n_codes + 1, dim) for _ in range(codec.levels)])
        for table in self.embed.parameters():
            nn.init.normal_(table, std=0.02)
        self.decoder = CausalTransformer(dim, net.net_heads, net.net_hidden, net.net_blocks, memory_dim=dim)
        self.head = nn.Linear(dim, codec.levels * codec.n_codes)

    def forward(self, steps: Tensor, memory: Memory, first: int = 0, cache: Cache | None = None) -> Tensor:
        """Return logits of steps.

        Args:
            steps: The step before each, shape (batch, n, levels).
            memory: The frames, with what these steps may see of them.
            first: Number of the first step.
            cache: Of the steps before.

        Returns:
            Shape (batch, n, levels, n_codes).
        """
        times_s = grid_times_s(first + steps.shape[1], self.token_hz)[first:]
        x = position_sines(times_s, self.settings.net_dim).to(steps.device)
        x = x + sum(table(codes) for table, codes in zip(self.embed, steps.unbind(2), strict=True))
        hidden = self.decoder(x, None, memory, cache)
        out: Tensor = self.head(hidden).reshape(*hidden.shape[:2], self.levels, self.n_codes)
        return out

    def memory(self, features: Tensor, dropped: Tensor) -> Tensor:
        """Return what cross-attention looks at, shape (batch, n_frames, dim); the null vector where dropped."""
        frames = self.see(self.scale(features_at(features, self.token_hz, self.grid_hz)))
        frames = torch.where(dropped[:, None, None], self.null, frames)
        times_s = grid_times_s(frames.shape[1], self.grid_hz)
        return frames + position_sines(times_s, self.settings.net_dim).to(frames.device)

    def visible(self, n_steps: int, n_frames: int) -> Tensor:
        """Return the frames that steps may look at, shape (n_steps, n_frames) bool.

        The time of a step is that of its first codebook; the others are late, so they are of earlier times.
        """
        own = (grid_times_s(n_steps, self.token_hz) * self.grid_hz).long().clamp(max=n_frames - 1)[:, None]
        frame = torch.arange(n_frames)[None]
        masks = {"all": (frame >= 0) & (own >= 0), "causal": frame <= own, "frame": frame == own}
        return masks[self.settings.visual_mask]

    def losses(self, codes: Tensor, features: Tensor, dropped: Tensor) -> Losses:
        """Return the mean cross-entropy over codebooks, and that of each."""
        steps = delayed(codes, self.delays, self.n_codes)
        values = self.memory(features, dropped)
        visible = self.visible(steps.shape[1], values.shape[1]).to(values.device)
        logits = self(self._before(steps), Memory(values, None, visible)).float()
        held = holds_code(codes.shape[1], self.delays).to(codes.device)
        each = [
            F.cross_entropy(logits[:, held[:, level], level].flatten(0, 1), steps[:, held[:, level], level].flatten())
            for level in range(self.levels)
        ]
        return {"loss": torch.stack(each).mean(), **{f"level_{level}": loss for level, loss in enumerate(each)}}

    def write(self, features: Tensor, how: Writing, rng: Draws) -> Tensor:
        """Write the codes of clips, shape (batch, n_tokens, levels)."""
        windows = Windows.cover(features.shape[1], self.longest)

        def written(first: int, known: Tensor) -> Tensor:
            part = features[:, first : first + windows.length]
            return self._window(part, known, how, rng)

        start = torch.zeros(len(features), 0, self.levels, dtype=torch.int64, device=features.device)
        return continued(windows, written, start)

    def evaluations(self, n_tokens: int) -> int:
        """Return the steps of all windows."""
        windows = Windows.cover(n_tokens, self.longest)
        return len(windows.starts) * (windows.length + max(self.delays))

    def _before(self, steps: Tensor) -> Tensor:
        """Return the step before each; before the first one no codebook has a code."""
        return torch.cat([torch.full_like(steps[:, :1], self.n_codes), steps[:, :-1]], dim=1)

    def _window(self, features: Tensor, known: Tensor, how: Writing, rng: Draws) -> Tensor:
        forced = delayed(to_draw(known, features.shape[1]), self.delays, self.n_codes)
        values = self.memory(how.twice(features), how.dropped(len(features), features.device))
        visible = self.visible(forced.shape[1], values.shape[1]).to(values.device)
        nothing = torch.full((len(features), self.levels), self.n_codes, device=features.device)
        cache = self.decoder.new_cache()

        def next_logits(before: Tensor | None) -> Tensor:
            step = how.twice(nothing if before is None else before)[:, None]
            memory = Memory(values, None, visible[len(cache) : len(cache) + 1])
            return how.logits(self(step, memory, len(cache), cache)[:, 0])

        return undelayed(write_codes(next_logits, forced, how.sampling, rng), self.delays)


WRITER = writer_part(FoleyGenSettings, FoleyGenWriter, "foleygen")
SYSTEM = System(
    name="foleygen",
    settings=FoleyGenSettings,
    parts=(FRAME_FEATURES, RESIDUAL_CODEC, WRITER),
    generator=writer_generator,
)
