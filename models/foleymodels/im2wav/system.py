"""Write coarse codes from nearest frames, then fine codes.

After `RoySheffer/im2wav@ee1ba8d` (Sheffer and Adi 2023, arXiv 2211.03089). ``MODEL_CARD.md`` says what is kept.
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
from foleymodels._codecs.two_rates import TWO_RATE_CODEC, TwoRateSettings
from foleymodels._parts.causal import CausalTransformer
from foleymodels._parts.code_sampling import write_codes
from foleymodels._parts.draws import Draws
from foleymodels._parts.signal import SignalSettings
from foleymodels._parts.windows import Windows
from foleymodels._systems.features import FRAME_FEATURES, FeatureScale, features_at
from foleymodels._systems.settings import FeatureSettings
from foleymodels._systems.system import System
from foleymodels._training.loop import Losses
from foleymodels._training.settings import LoopSettings

_DILATIONS = (1, 3, 9)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Im2WavWriterSettings(WriterSettings):
    """The settings of both priors.

    Attributes:
        up_dim: Width of the prior of the fine codes.
        up_blocks: Its blocks.
    """

    net_blocks: int = 4
    net_drop_p: float = 0.5
    up_dim: int = 96
    up_blocks: int = 2

    @classmethod
    def shapes(cls) -> dict[str, dict[str, Any]]:
        """Return by size the fields that differ from the defaults."""
        large = {"net_dim": 512, "net_blocks": 11, "net_heads": 8, "net_hidden": 1024, "up_dim": 512, "up_blocks": 6}
        larger = {**large, "net_dim": 768, "net_heads": 12, "net_hidden": 1536, "up_dim": 768}
        return {"base": large, "std16k": larger, "paper": larger}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Im2WavSettings:
    """The settings that decide a trained system."""

    signal: SignalSettings
    alignment: FeatureSettings
    codec: TwoRateSettings
    net: Im2WavWriterSettings
    loop: LoopSettings


class LevelPrior(nn.Module):
    """Codes of one level: a start vector from the clip, and a condition added at every place, before and after.

    The weights of the output are those of the embedding (`ConditionalAutoregressive2D`, as published).
    """

    def __init__(self, net: Im2WavWriterSettings, dim: int, blocks: int, n_codes: int, n_places: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(n_codes, dim)
        self.positions = nn.Parameter(torch.zeros(n_places, dim))
        nn.init.normal_(self.embed.weight, std=0.02)
        nn.init.normal_(self.positions, std=0.01)
        self.decoder = CausalTransformer(dim, net.net_heads, dim * net.net_hidden // net.net_dim, blocks)

    def losses(self, codes: Tensor, start: Tensor, added: Tensor) -> Tensor:
        """Return the mean cross-entropy of codes (batch, n)."""
        x = torch.cat([start[:, None], self.embed(codes[:, :-1])], dim=1) + self.positions[: codes.shape[1]] + added
        logits = self._logits(self.decoder(x) + added).float()
        return F.cross_entropy(logits.flatten(0, 1), codes.flatten())

    def write(self, forced: Tensor, start: Tensor, added: Tensor, how: Writing, rng: Draws) -> Tensor:
        """Write the codes of a window.

        Args:
            forced: Known codes, -1 where one is drawn, shape (batch, n).
            start: Start vectors of the rows of ``how.twice``, shape (rows, dim).
            added: Their added conditions, shape (rows, n, dim).
            how: Guidance and drawing.
            rng: Source of all randomness.

        Returns:
            Shape (batch, n).
        """
        cache = self.decoder.new_cache()

        def next_logits(before: Tensor | None) -> Tensor:
            at = len(cache)
            here = start[:, None] if before is None else self.embed(how.twice(before))
            condition = added[:, at : at + 1]
            hidden = self.decoder(here + self.positions[at] + condition, cache=cache)
            return how.logits(self._logits(hidden + condition))

        return write_codes(next_logits, forced[..., None], how.sampling, rng)[..., 0]

    def _logits(self, hidden: Tensor) -> Tensor:
        return hidden @ self.embed.weight.T


class CoarseCondition(nn.Module):
    """Coarse codes to a condition of every fine code: embedded, repeated, then dilated convolutions.

    These see both sides: all coarse codes are there before the first fine one is written.
    """

    def __init__(self, n_codes: int, dim: int, per_token: int) -> None:
        super().__init__()
        self.per_token = per_token
        self.embed = nn.Embedding(n_codes, dim)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.layers = nn.ModuleList([nn.Conv1d(dim, dim, 3, padding=late, dilation=late) for late in _DILATIONS])
        self.norm = nn.LayerNorm(dim)

    def forward(self, coarse: Tensor) -> Tensor:
        """Return conditions (batch, n * per_token, dim) of codes (batch, n)."""
        x = self.embed(coarse).repeat_interleave(self.per_token, dim=1).transpose(1, 2)
        for layer in self.layers:
            x = x + layer(F.silu(x))
        out: Tensor = self.norm(x.transpose(1, 2))
        return out


class Im2WavWriter(CodeWriter):
    """The prior of the coarse codes, and that of the fine ones."""

    def __init__(self, settings: Im2WavSettings, feature_dim: int, codec: Codec) -> None:
        super().__init__()
        signal, net = settings.signal, settings.net
        self.token_hz, self.grid_hz = signal.mel.token_hz, signal.grid_hz
        self.longest, self.per_token = signal.tokens(net.net_crop_s), settings.codec.fine_per_token
        self.scale = FeatureScale(feature_dim)
        self.null = nn.Parameter(torch.zeros(feature_dim))
        self.low = LevelPrior(net, net.net_dim, net.net_blocks, codec.n_codes, self.longest)
        self.low_start = _perceptron(feature_dim, net.net_dim)
        self.low_frames = _perceptron(feature_dim, net.net_dim)
        self.up = LevelPrior(net, net.up_dim, net.up_blocks, codec.n_codes, self.longest * self.per_token)
        self.up_start = _perceptron(feature_dim, net.up_dim)
        self.up_coarse = CoarseCondition(codec.n_codes, net.up_dim, self.per_token)

    def frames(self, features: Tensor, dropped: Tensor) -> Tensor:
        """Return the frames that the priors see, shape (batch, n_frames, feature_dim); the null vector where dropped.

        Args:
            features: One for each mel token of the stretch, shape (batch, n_tokens, feature_dim).
            dropped: Rows without the video.
        """
        frames = self.scale(features_at(features, self.token_hz, self.grid_hz))
        return torch.where(dropped[:, None, None], self.null, frames)

    def nearest(self, frames: Tensor, n: int) -> Tensor:
        """Return what is added at ``n`` coarse places, shape (batch, n, dim): each its nearest frame's vector."""
        out: Tensor = self.low_frames(frames[:, nearest_frames(n, frames.shape[1])])
        return out

    def losses(self, codes: Tensor, features: Tensor, dropped: Tensor) -> Losses:
        """Return the sum of both priors' cross-entropies (they share no weight), and each."""
        coarse, fine = codes[..., 0], codes[..., 1:].flatten(1)
        frames = self.frames(features, dropped)
        mean = frames.mean(1)
        low = self.low.losses(coarse, self.low_start(mean), self.nearest(frames, coarse.shape[1]))
        up = self.up.losses(fine, self.up_start(mean), self.up_coarse(coarse))
        return {"loss": low + up, "low": low, "up": up}

    def write(self, features: Tensor, how: Writing, rng: Draws) -> Tensor:
        """Write all coarse codes of clips, then their fine ones: shape (batch, n_tokens, 1 + fine_per_token)."""
        windows = Windows.cover(features.shape[1], self.longest)

        def frames(first: int) -> Tensor:
            part = features[:, first : first + windows.length]
            return self.frames(how.twice(part), how.dropped(len(part), part.device))

        def low(first: int, known: Tensor) -> Tensor:
            seen, forced = frames(first), to_draw(known, windows.length)[..., 0]
            start, added = self.low_start(seen.mean(1)), self.nearest(seen, windows.length)
            return self.low.write(forced, start, added, how, rng)[..., None]

        def up(first: int, known: Tensor) -> Tensor:
            seen, forced = frames(first), to_draw(known, windows.length).flatten(1)
            added = self.up_coarse(how.twice(coarse[:, first : first + windows.length, 0]))
            written = self.up.write(forced, self.up_start(seen.mean(1)), added, how, rng)
            return written.reshape(len(written), -1, self.per_token)

        nothing = torch.zeros(len(features), 0, 1, dtype=torch.int64, device=features.device)
        coarse = continued(windows, low, nothing)
        fine = continued(windows, up, nothing.expand(-1, -1, self.per_token))
        return torch.cat([coarse, fine], dim=2)

    def evaluations(self, n_tokens: int) -> int:
        """Return the codes of all windows of both priors."""
        windows = Windows.cover(n_tokens, self.longest)
        return len(windows.starts) * windows.length * (1 + self.per_token)


def nearest_frames(n: int, n_frames: int) -> Tensor:
    """Return the frame of each of ``n`` places, as published (`SimplePrior.get_x_cond`): the only cue of time.

    The first place has the first frame and the last one the last; halves go to the even frame.

    Example:
        >>> nearest_frames(5, 3).tolist(), nearest_frames(1, 3).tolist()
        ([0, 0, 1, 2, 2], [0])
    """
    return torch.from_numpy(np.round(np.linspace(0, 1, num=n) * (n_frames - 1)).astype(np.int64))


def _perceptron(dim_in: int, dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dim_in, dim), nn.SiLU(), nn.Linear(dim, dim))


WRITER = writer_part(Im2WavSettings, Im2WavWriter, "im2wav")
SYSTEM = System(
    name="im2wav", settings=Im2WavSettings, parts=(FRAME_FEATURES, TWO_RATE_CODEC, WRITER), generator=writer_generator
)
