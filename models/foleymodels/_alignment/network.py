"""The alignment network: video frames and unmasked audio, cross-attended.

Every objective of the stage trains this same network and exports the same condition; objectives differ in their
losses. Tokens and frames share one clock (positions in seconds). Source: section 3.2 of the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from foleymodels._alignment.settings import SMALL_AUDIO, AlignmentSettings
from foleymodels._parts.blocks import Attention, Context, ConvMLP, grid_bias, grid_table
from foleymodels._parts.frame_maps import VideoEncoder
from foleymodels._parts.frozen_encoders import VIDEO_ENCODERS
from foleymodels._parts.signal import SignalSettings
from foleymodels._parts.windows import Windows
from foleymodels._small_encoders.nets import AudioEncoder, FrameEncoder
from foleymodels._training.decoded_data import cache_settings


class AlignmentBlock(nn.Module):
    """Audio attends to itself, then to the video, then a convolutional feed-forward part."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(dim), nn.LayerNorm(dim), nn.LayerNorm(dim)])
        self.own = Attention(dim, heads)
        self.cross = Attention(dim, heads)
        self.mlp = ConvMLP(dim, 2 * dim)

    def forward(self, x: Tensor, video: Tensor, table: Tensor, video_table: Tensor, bias: Tensor) -> Tensor:
        """Apply to audio (batch, n, dim) and video (batch, m, dim)."""
        x = x + self.own(self.norms[0](x), table)
        x = x + self.cross(self.norms[1](x), table, video, video_table, bias)
        out: Tensor = x + self.mlp(self.norms[2](x))
        return out


class Alignment(nn.Module):
    """Rebuilds masked audio from video frames and the unmasked audio.

    Its exported condition is, per token, the video feature at the token's time next to the decoder's state when all
    audio is masked (an "audio plan"), which is the situation at generation.

    Attributes:
        signal: Settings of mel tokens and frames.
        settings: Settings of the network.
        video: From maps or features of frames to one feature a frame.
        sound: A small frozen encoder of audio whose features are rebuilt, or None.
    """

    def __init__(self, signal: SignalSettings, settings: AlignmentSettings) -> None:
        super().__init__()
        self.signal, self.settings = signal, settings
        dim = settings.vama_dim
        self.video = _video_part(signal, settings)
        self.sound = _frozen_audio(signal, settings)
        self.enter = nn.Linear(signal.mel.token_dim, dim)
        self.hidden = nn.Parameter(torch.zeros(dim))
        self.video_norm = nn.LayerNorm(dim)
        self.blocks = nn.ModuleList([AlignmentBlock(dim, settings.vama_heads) for _ in range(settings.vama_blocks)])
        self.leave_norm = nn.LayerNorm(dim)
        self.leave = nn.Linear(dim, settings.target_dim(signal.mel))

    @property
    def condition_dim(self) -> int:
        """Width of the exported condition."""
        return 2 * self.settings.vama_dim

    def forward(
        self, frames: Tensor, tokens: Tensor | None, mask: Tensor | None, n_tokens: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Rebuild the audio.

        Args:
            frames: Shape (batch, m, cells, cells, 6) uint8, maps of the frames on the grid.
            tokens: True tokens, shape (batch, n_tokens, token_dim), or None when all audio is masked.
            mask: True where masked, shape (batch, n_tokens), or None with ``tokens``.
            n_tokens: Number of tokens wanted.

        Returns:
            Predicted targets (batch, n_tokens, target_dim), decoder states and video features at the tokens' times,
            both (batch, n_tokens, dim).
        """
        video = self.video_norm(self.video(frames))
        token_times = self.signal.mel.token_times_s(n_tokens)
        audio_grid, video_grid = (n_tokens, self.signal.mel.token_hz), (video.shape[1], self.signal.grid_hz)
        at_tokens = _interpolate(video, token_times * self.signal.grid_hz - 0.5)
        x = self.hidden.expand(len(frames), n_tokens, -1)
        if tokens is not None and mask is not None:
            x = torch.where(mask[..., None], x, self.enter(tokens))
        x = x + at_tokens
        head_dim = self.settings.vama_dim // self.settings.vama_heads
        table, video_table = (grid_table(*grid, head_dim, x.device) for grid in (audio_grid, video_grid))
        heads = self.settings.vama_heads
        bias = grid_bias(audio_grid, video_grid, heads, heads // 2, self.settings.vama_window_s, x.device)
        for block in self.blocks:
            x = block(x, video, table, video_table, bias)
        state = self.leave_norm(x)
        return self.leave(state), state, at_tokens

    @torch.no_grad()
    def target(self, tokens: Tensor) -> Tensor:
        """Return the target of Eq. 4: the mel tokens themselves, or their features from the frozen audio encoder.

        Args:
            tokens: Shape (batch, n, token_dim).

        Returns:
            Shape (batch, n, target_dim), without gradient.
        """
        if self.sound is None:
            return tokens
        out: Tensor = self.sound(tokens)
        return out

    def condition(self, frames: Tensor, n_tokens: int) -> Tensor:
        """Return a generator's condition: video features and audio plan, windowed when the clip is long.

        Args:
            frames: Shape (batch, m, cells, cells, 6) uint8, maps of the frames.
            n_tokens: Number of tokens of the clip.

        Returns:
            Shape (batch, n_tokens, condition_dim).
        """
        windows = Windows.cover(n_tokens, self.signal.n_tokens, cache_settings(self.signal).unit[1])
        parts = windows.split_frames(frames, self.signal.mel.token_hz, self.signal.grid_hz)
        return windows.merge(self.features(parts, windows.length))

    def features(self, frames: Tensor, n_tokens: int) -> Tensor:
        """Return the condition of one window, shape (batch, n_tokens, condition_dim)."""
        _, state, video = self(frames, None, None, n_tokens)
        return torch.cat([video, state], dim=-1)


class FrozenFrames(nn.Module):
    """A frozen small encoder of frames and their neighbours, then trained convolutions over time."""

    def __init__(self, cells: int, encoder_dim: int, dim: int) -> None:
        super().__init__()
        self.encoder = FrameEncoder(cells, encoder_dim).requires_grad_(False)
        self.enter = nn.Linear(encoder_dim, dim)
        self.context = Context(dim)

    def forward(self, maps: Tensor) -> Tensor:
        """Encode (batch, n, cells, cells, 6) uint8 into (batch, n, dim)."""
        out: Tensor = self.context(self.enter(self.encoder(maps)))
        return out


class FeatureAdapter(nn.Module):
    """Features of a large frozen encoder, then trained convolutions over time (four layers)."""

    def __init__(self, encoder_dim: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(encoder_dim)
        self.enter = nn.Linear(encoder_dim, dim)
        self.context = nn.Sequential(Context(dim), Context(dim))

    def forward(self, features: Tensor) -> Tensor:
        """Encode (batch, n, encoder_dim) of any float type into (batch, n, dim)."""
        out: Tensor = self.context(self.enter(self.norm(features.float())))
        return out


def _video_part(signal: SignalSettings, settings: AlignmentSettings) -> VideoEncoder | FrozenFrames | FeatureAdapter:
    if settings.video_encoder in VIDEO_ENCODERS:
        return FeatureAdapter(VIDEO_ENCODERS[settings.video_encoder], settings.vama_dim)
    if settings.video_encoder == "maps":
        channels = (settings.video_channels_1, settings.video_channels_2, settings.video_channels_3)
        return VideoEncoder(signal.cells, channels, settings.vama_dim)
    return FrozenFrames(signal.cells, settings.encoder_dim, settings.vama_dim)


def _frozen_audio(signal: SignalSettings, settings: AlignmentSettings) -> AudioEncoder | None:
    if settings.audio_target not in SMALL_AUDIO:
        return None
    return AudioEncoder(signal.mel.token_dim, settings.encoder_dim).requires_grad_(False)


def _interpolate(video: Tensor, positions: Tensor) -> Tensor:
    """Read features (batch, m, dim) at fractional positions (n,), linearly, clamped at the ends."""
    last = video.shape[1] - 1
    clamped = positions.to(video.device).clamp(0, last)
    left = clamped.floor().long()
    share = (clamped - left)[None, :, None]
    return torch.lerp(video[:, left], video[:, (left + 1).clamp(max=last)], share.to(video.dtype))
