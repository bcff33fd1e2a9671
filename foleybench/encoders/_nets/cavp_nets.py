"""Define CAVP's network, its tensors named as in its file.

Widths are arguments, so that tests can use small networks of the same layout. Only the video tower is run; the audio
tower exists because the file holds its tensors, all of which are checked.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.encoders._nets.cnn14 import DoubleConvolution

EXPANSION = 4
BLOCKS = (3, 4, 6, 3)
# Stages whose first convolution of each block spans three frames.
TEMPORAL = (False, False, True, True)


class _ConvBn(nn.Module):
    """Convolution without bias, batch norm, and a ReLU by default."""

    def __init__(
        self, before: int, after: int, kernel: tuple[int, int, int], *, stride: int = 1, active: bool = True
    ) -> None:
        super().__init__()
        time, high, wide = (size // 2 for size in kernel)
        self.conv = nn.Conv3d(before, after, kernel, stride=(1, stride, stride), padding=(time, high, wide), bias=False)
        self.bn = nn.BatchNorm3d(after)
        self.active = active

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (B, after, T, H', W')."""
        out: Tensor = self.bn(self.conv(x))
        return F.relu(out) if self.active else out


class _Bottleneck(nn.Module):
    def __init__(self, before: int, width: int, *, stride: int, temporal: bool, downsample: bool) -> None:
        super().__init__()
        after = EXPANSION * width
        self.conv1 = _ConvBn(before, width, (3, 1, 1) if temporal else (1, 1, 1))
        self.conv2 = _ConvBn(width, width, (1, 3, 3), stride=stride)
        self.conv3 = _ConvBn(width, after, (1, 1, 1), active=False)
        self.downsample = _ConvBn(before, after, (1, 1, 1), stride=stride, active=False) if downsample else None

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv3(self.conv2(self.conv1(x)))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class SlowOnly(nn.Module):
    """Video (B, 3, T, H, W) to features (B, 32 * base, T), averaged over space, every frame kept."""

    def __init__(self, base: int = 64) -> None:
        super().__init__()
        self.conv1 = _ConvBn(3, base, (1, 7, 7), stride=2)
        before = base
        for stage, (n, temporal) in enumerate(zip(BLOCKS, TEMPORAL, strict=True)):
            width = base * 2**stage
            blocks = []
            for index in range(n):
                stride = 2 if stage and not index else 1
                blocks.append(_Bottleneck(before, width, stride=stride, temporal=temporal, downsample=not index))
                before = EXPANSION * width
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.width = before

    def forward(self, video: Tensor) -> Tensor:
        """Return the features."""
        x = F.max_pool3d(self.conv1(video), (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
        for stage in range(len(BLOCKS)):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return x.mean(dim=(3, 4))


class SpecTower(nn.Module):
    """Spectrogram (B, 128, T) to features (B, T // 16, n_embedding)."""

    POOLS = ((2, 2), (2, 2), (2, 2), (2, 2), (1, 2), (1, 1))

    def __init__(self, base: int = 64, n_embedding: int = 512) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(128)
        widths = (1, *(base * 2**index for index in range(6)))
        for index, (before, after) in enumerate(itertools.pairwise(widths)):
            self.add_module(f"conv_block{index + 1}", DoubleConvolution(before, after))
        self.fc1 = nn.Linear(widths[-1], widths[-1])
        self.final_project = nn.Linear(widths[-1], n_embedding)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Return the features."""
        x = self.bn(spectrogram[:, :, :, None]).permute(0, 3, 2, 1)
        for index, pool in enumerate(self.POOLS):
            x = F.avg_pool2d(self.get_submodule(f"conv_block{index + 1}")(x), pool)
        x = x.mean(dim=3)
        x = F.max_pool1d(x, 3, stride=1, padding=1) + F.avg_pool1d(x, 3, stride=1, padding=1)
        # The published net passes through the same layer twice.
        x = F.relu(self.fc1(F.relu(self.fc1(x.transpose(1, 2)))))
        out: Tensor = self.final_project(x)
        return out


class Cavp(nn.Module):
    """Both towers, as they lie in ``cavp_epoch66.ckpt``."""

    def __init__(self, base: int = 64, n_embedding: int = 512) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.video_encoder = SlowOnly(base)
        self.video_project_head = nn.Linear(self.video_encoder.width, n_embedding)
        self.spec_encoder = SpecTower(base, n_embedding)

    def video(self, frames: Tensor) -> Tensor:
        """Return features (T, n_embedding) of unit length per frame, from frames (T, 3, H, W) in [0, 1]."""
        features = self.video_encoder(frames.transpose(0, 1)[None])[0].T
        return F.normalize(self.video_project_head(features), dim=-1)

    def in_chunks(self, frames: Sequence[Tensor]) -> Tensor:
        """Return the features of chunks of frames, each chunk seen alone as Diff-Foley does, one after the other."""
        return torch.cat([self.video(chunk) for chunk in frames])
