"""Define the objectives that pretrain small encoders."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.clips import IntArray
from foleymodels._parts.contrast import LOG_SCALE, info_nce, scale_of
from foleymodels._parts.frame_maps import REACH
from foleymodels._small_encoders.nets import N_COLOURS, N_PLANES, AudioEncoder, FrameEncoder, planes
from foleymodels._training.decoded_data import TrainingData

_PATCH = 4
_FRAME_RATIO = 0.75
_AUDIO_RATIO = 0.8
_MEL_PATCHES = 4
_N_FRAMES = 8
_TINY = 1e-6


class ImageLabelObjective(nn.Module):
    """Frames against the names of their classes, on the unit sphere (CLIP with a table for a text tower)."""

    def __init__(self, data: TrainingData, cells: int, token_dim: int, dim: int) -> None:
        super().__init__()
        names = sorted(set(data.labels))
        self._wanted = torch.tensor([names.index(label) for label in data.labels])
        self.picture = FrameEncoder(cells, dim)
        self.names = nn.Parameter(torch.randn(len(names), dim) / math.sqrt(dim))
        self.log_scale = nn.Parameter(torch.tensor(LOG_SCALE))

    def forward(self, data: TrainingData, indices: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss; every frame counts alone."""
        features = F.normalize(self.picture.encode(_seen(data, indices, generator, self.log_scale.device)), dim=-1)
        logits = scale_of(self.log_scale) * features @ F.normalize(self.names, dim=-1).T
        wanted = self._wanted[indices].to(logits.device).repeat_interleave(logits.shape[1])
        return F.cross_entropy(logits.flatten(0, 1), wanted)


class FrameMaeObjective(nn.Module):
    """Three quarters of the patches are hidden with their motion and rebuilt, each normalised (MAE, VideoMAE)."""

    def __init__(self, data: TrainingData, cells: int, token_dim: int, dim: int) -> None:
        super().__init__()
        self._side = cells // _PATCH
        self.picture = FrameEncoder(cells, dim)
        self.rebuild = nn.Sequential(
            nn.Linear(dim, 2 * dim), nn.SiLU(), nn.Linear(2 * dim, self._side**2 * _PATCH**2 * N_PLANES)
        )

    def forward(self, data: TrainingData, indices: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss on hidden patches: of colour and of motion, half each."""
        seen = _seen(data, indices, generator, self.picture.hidden.device)
        patches = F.unfold(seen.flatten(0, 1), _PATCH, stride=_PATCH).transpose(1, 2)
        hidden = _hide(len(patches), patches.shape[1], _FRAME_RATIO, generator).to(seen.device)
        features = self.picture.encode(seen, hidden.reshape(-1, self._side, self._side))
        rebuilt = self.rebuild(features.flatten(0, 1)).reshape(patches.shape)
        cut = N_COLOURS * _PATCH**2
        colour = _hidden_error(rebuilt[..., :cut], patches[..., :cut], hidden)
        return (colour + _hidden_error(rebuilt[..., cut:], patches[..., cut:], hidden)) / 2


class AudioVisualObjective(nn.Module):
    """Crops of video and audio against each other: one space for both."""

    def __init__(self, data: TrainingData, cells: int, token_dim: int, dim: int) -> None:
        super().__init__()
        self.picture = FrameEncoder(cells, dim)
        self.sound = AudioEncoder(token_dim, dim)
        self.log_scale = nn.Parameter(torch.tensor(LOG_SCALE))

    def forward(self, data: TrainingData, indices: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss."""
        video = self.picture.encode(_seen(data, indices, generator, self.log_scale.device)).mean(1)
        audio = self.sound(_whole(data, indices, self.log_scale.device)).mean(1)
        return info_nce(F.normalize(video, dim=-1), F.normalize(audio, dim=-1), scale_of(self.log_scale))


class AudioMaeObjective(nn.Module):
    """Four fifths of the patches of a spectrogram are hidden and rebuilt, each normalised (AudioMAE's target)."""

    def __init__(self, data: TrainingData, cells: int, token_dim: int, dim: int) -> None:
        super().__init__()
        self.sound = AudioEncoder(token_dim, dim)
        self.hidden = nn.Parameter(torch.zeros(token_dim))
        self.rebuild = nn.Linear(dim, token_dim)

    def forward(self, data: TrainingData, indices: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss on hidden patches: two mel frames by a quarter of the bands."""
        tokens = _whole(data, indices, self.hidden.device)
        n_mels = data.settings.mel.n_mels
        patches = _mel_patches(tokens, n_mels)
        hidden = _hide(len(tokens), patches.shape[1], _AUDIO_RATIO, generator).to(tokens.device)
        everywhere = _mel_patches(torch.ones_like(tokens), n_mels) * hidden[..., None]
        mask = _mel_tokens(everywhere, tokens.shape[1], n_mels) > 0
        rebuilt = self.rebuild(self.sound(torch.where(mask, self.hidden, tokens)))
        return _hidden_error(_mel_patches(rebuilt, n_mels), patches, hidden)


OBJECTIVES: dict[str, type[ImageLabelObjective | FrameMaeObjective | AudioVisualObjective | AudioMaeObjective]] = {
    "image_label": ImageLabelObjective,
    "mae": FrameMaeObjective,
    "av_contrast": AudioVisualObjective,
    "audio_mae": AudioMaeObjective,
}


def _seen(data: TrainingData, indices: Tensor, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return the planes of eight frames of each clip, drawn evenly with a jitter, shape (batch, 8, 7, cells, cells)."""
    lengths = np.diff(data.frame_offsets)[indices.numpy()][:, None]
    jitter = torch.rand(len(indices), _N_FRAMES, generator=generator).numpy()
    within = ((np.arange(_N_FRAMES) + jitter) / _N_FRAMES * lengths).astype(np.int64)
    around = (within[..., None] + np.arange(-REACH, REACH + 1)).clip(0, lengths[..., None] - 1)
    at: IntArray = data.frame_offsets[indices.numpy()][:, None, None] + around
    return planes(torch.from_numpy(data.frames[at]).to(device))


def _whole(data: TrainingData, indices: Tensor, device: torch.device) -> Tensor:
    n_tokens = int(np.diff(data.token_offsets)[indices.numpy()].min())
    return data.crop_tokens(indices, np.zeros(len(indices), dtype=np.int64), n_tokens, device)


def _hide(batch: int, n: int, ratio: float, generator: torch.Generator) -> Tensor:
    ranks = torch.rand(batch, n, generator=generator).argsort(dim=1).argsort(dim=1)
    return ranks < round(ratio * n)


def _hidden_error(rebuilt: Tensor, patches: Tensor, hidden: Tensor) -> Tensor:
    """Return the error on hidden patches, shape (batch, n_patches, size), against each patch at unit size."""
    mean, spread = patches.mean(-1, keepdim=True), patches.std(-1, keepdim=True)
    wanted = (patches - mean) / (spread + _TINY).clamp_min(0.02)
    error = (rebuilt - wanted).square().mean(-1)
    return (error * hidden).sum() / hidden.sum()


def _mel_patches(tokens: Tensor, n_mels: int) -> Tensor:
    """Cut tokens (batch, n, frames * n_mels) into quarters of the bands, (batch, n * 4, size)."""
    batch, n, _ = tokens.shape
    cut = tokens.reshape(batch, n, -1, _MEL_PATCHES, n_mels // _MEL_PATCHES).transpose(2, 3)
    return cut.reshape(batch, n * _MEL_PATCHES, -1)


def _mel_tokens(patches: Tensor, n: int, n_mels: int) -> Tensor:
    """Put the quarters together again."""
    cut = patches.reshape(len(patches), n, _MEL_PATCHES, -1, n_mels // _MEL_PATCHES)
    return cut.transpose(2, 3).reshape(len(patches), n, -1)
