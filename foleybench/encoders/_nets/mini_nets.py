"""Define the two small evaluators: inputs, networks and files.

Their input is a log-mel spectrogram relative to the clip's own maximum, so that gain changes nothing. Both are trained
by ``foleybench.evaluators.mini`` and by nothing else.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.clips import AudioArray, Clock, FloatArray, FrameArray
from foleybench.encoders._inputs.loading import load_strictly, read_safetensors
from foleybench.encoders._inputs.spectra import MelGrid, decibels, mel_power
from foleybench.errors import FoleyError

GRID = MelGrid(rate_hz=16000, window=512, hop=160, n_bands=64, low_hz=50.0, high_hz=8000.0)
RANGE_DB = 70.0
SILENCE_DB = -150.0
FRAME_PX = 48
FRAME_HZ = 25.0
# Mel frames per video frame.
RATIO = 4
LAGS = 12
HEADER = "foleybench"

SmallFrames = npt.NDArray[np.uint8]


def audio_input(audio: AudioArray) -> npt.NDArray[np.float32]:
    """Return the spectrogram that is the input of both nets.

    Args:
        audio: Shape (N,) at 16 kHz.

    Returns:
        Shape (64, T) float32, one frame per 10 ms: 0 at the clip's loudest band, -1 at 70 dB below it and for silence.
    """
    power = mel_power(audio, GRID)
    top = max(float(decibels(power, SILENCE_DB).max()), SILENCE_DB + RANGE_DB)
    relative = (decibels(power, top - RANGE_DB) - top) / RANGE_DB
    return np.ascontiguousarray(relative.T, dtype=np.float32)


def frames_input(frames: FrameArray, frame_times_s: FloatArray, duration_s: float) -> SmallFrames:
    """Return the alignment net's frames, 25 a second, from any frame rate and size, each at its own time.

    Args:
        frames: Shape (T, H, W, 3) uint8.
        frame_times_s: Shape (T,).
        duration_s: Length of the clip.

    Returns:
        Shape (n, 3, 48, 48) uint8 with n = ceil(duration * 25).
    """
    n = Clock(duration_s).tokens(FRAME_HZ)
    index, place = np.unique(Clock.on_grid(frame_times_s, FRAME_HZ, n), return_inverse=True)
    pixels = torch.from_numpy(frames[index]).permute(0, 3, 1, 2).float()
    small = F.adaptive_avg_pool2d(pixels, FRAME_PX).round().to(torch.uint8)
    return np.ascontiguousarray(small.numpy()[place])


class ClassNet(nn.Module):
    """Small convolutional classifier of audio: which classes and which materials sound, each on its own.

    Args:
        n_classes: Number of classes.
        n_materials: Number of materials; 0 when the corpus states none.
        n_embedding: Length of the embedding that both heads read.
    """

    def __init__(self, n_classes: int, n_materials: int, n_embedding: int = 32) -> None:
        super().__init__()
        self.n_classes = n_classes
        widths = (1, 16, 32, 64, 96)
        blocks: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            # The first step halves the bands and leaves a quarter of the frames: most of the cost lies in early layers.
            shape: dict[str, Any] = {"kernel_size": (3, 5), "stride": (2, 4), "padding": (1, 2)}
            if before > 1:
                shape = {"kernel_size": 3, "stride": 2, "padding": 1}
            blocks += [nn.Conv2d(before, after, **shape, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            blocks += [nn.Conv2d(after, after, 3, padding=1, groups=after, bias=False)]
            blocks += [nn.BatchNorm2d(after), nn.ReLU()]
        self.blocks = nn.Sequential(*blocks)
        self.embed = nn.Linear(2 * 4 * widths[-1], n_embedding)
        self.classify = nn.Linear(n_embedding, n_classes + n_materials)

    def forward(self, sound: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (B, n_classes), material logits (B, n_materials), embedding of spectrograms (B, 64, T)."""
        maps = self.blocks(sound[:, None] + 0.5).flatten(1, 2)
        embedding = self.embed(torch.cat([maps.mean(dim=2), maps.amax(dim=2)], dim=1))
        logits: Tensor = self.classify(F.relu(embedding))
        return logits[:, : self.n_classes], logits[:, self.n_classes :], embedding


class AudioTower(nn.Module):
    """Spectrogram (B, 64, T) to features (B, width, T // 4), one per video frame."""

    def __init__(self, width: int, scale: int = 1) -> None:
        super().__init__()
        inner = 64 * scale
        self.layers = nn.Sequential(
            *(nn.Conv1d(64, inner, 3, padding=1), nn.BatchNorm1d(inner), nn.ReLU()),
            *(nn.Conv1d(inner, inner, RATIO, stride=RATIO), nn.BatchNorm1d(inner), nn.ReLU()),
            *(nn.Conv1d(inner, inner, 5, padding=2), nn.BatchNorm1d(inner), nn.ReLU(), nn.Conv1d(inner, width, 1)),
        )

    def forward(self, sound: Tensor) -> Tensor:
        """Return the features."""
        found: Tensor = self.layers(sound + 0.5)
        return found


class VideoTower(nn.Module):
    """Frames (B, n, 3, 48, 48) in [0, 1] to features (B, width, n)."""

    def __init__(self, width: int, scale: int = 1) -> None:
        super().__init__()
        one, two, three, inner = 24 * scale, 32 * scale, 48 * scale, 64 * scale
        # A wide first stride: most of the cost of small frames lies in the first layer.
        self.look = nn.Sequential(
            *(nn.Conv2d(6, one, 6, stride=4, padding=1), nn.BatchNorm2d(one), nn.ReLU()),
            *(nn.Conv2d(one, two, 3, stride=2, padding=1), nn.BatchNorm2d(two), nn.ReLU()),
            *(nn.Conv2d(two, three, 3, stride=2, padding=1), nn.BatchNorm2d(three), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(three * 9, inner)),
        )
        self.follow = nn.Sequential(
            *(nn.BatchNorm1d(inner), nn.ReLU(), nn.Conv1d(inner, inner, 5, padding=2), nn.BatchNorm1d(inner)),
            *(nn.ReLU(), nn.Conv1d(inner, inner, 5, padding=4, dilation=2), nn.BatchNorm1d(inner), nn.ReLU()),
            nn.Conv1d(inner, width, 1),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features."""
        before = torch.cat([pictures[:, :1], pictures[:, :-1]], dim=1)
        both = torch.cat([pictures - 0.5, 4.0 * (pictures - before)], dim=2)
        looked: Tensor = self.look(both.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        found: Tensor = self.follow(looked.reshape(*both.shape[:2], -1).transpose(1, 2))
        return found


class AlignNet(nn.Module):
    """Classifier of whether audio and video belong together, and in time.

    Each tower gives features over time. Features of timing are correlated at lags of up to half a second either
    way; features of content are averaged over time and multiplied. A small net reads both.
    """

    def __init__(self, n_follow: int = 24, n_heads: int = 4, n_kind: int = 16, scale: int = 1) -> None:
        super().__init__()
        self.n_follow, self.n_heads = n_follow, n_heads
        self.sound = AudioTower(n_follow + n_kind, scale)
        self.picture = VideoTower(n_follow + n_kind, scale)
        self.judge = nn.Sequential(
            nn.Linear(n_heads * (2 * LAGS + 1) + 3 * n_kind, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 1)
        )

    def compare(self, sound: Tensor, picture: Tensor) -> Tensor:
        """Return the logit of each pair from the towers' features, both (B, width, n), shape (B,)."""
        profile = self._profile(sound[:, : self.n_follow], picture[:, : self.n_follow])
        kind_heard, kind_seen = sound[:, self.n_follow :].mean(dim=2), picture[:, self.n_follow :].mean(dim=2)
        kinds = torch.cat([kind_heard, kind_seen, kind_heard * kind_seen], dim=1)
        logit: Tensor = self.judge(torch.cat([profile, kinds], dim=1))
        return logit[:, 0]

    def forward(self, sound: Tensor, pictures: Tensor) -> Tensor:
        """Return the logit of each pair, shape (B,), from spectrograms and frames of the same clips."""
        heard_features, seen_features = self.sound(sound), self.picture(pictures)
        n = min(heard_features.shape[2], seen_features.shape[2])
        return self.compare(heard_features[:, :, :n], seen_features[:, :, :n])

    def _profile(self, sound: Tensor, picture: Tensor) -> Tensor:
        """Correlation over time at each lag, per head, shape (B, heads * lags)."""
        heads = (len(sound), self.n_heads, self.n_follow // self.n_heads, -1)
        one, two = _unit(sound.reshape(heads)), _unit(picture.reshape(heads))
        padded = F.pad(two, (LAGS, LAGS))
        n = one.shape[3]
        lags = [(one * padded[..., lag : lag + n]).sum(dim=(2, 3)) for lag in range(2 * LAGS + 1)]
        return torch.stack(lags, dim=2).flatten(1)


def _unit(x: Tensor) -> Tensor:
    """Return features (B, heads, width, n) less their mean over time, of unit length per head."""
    x = x - x.mean(dim=3, keepdim=True)
    return x / x.square().sum(dim=(2, 3), keepdim=True).sqrt().clamp_min(1e-3)


def packed(net: nn.Module, facts: dict[str, Any]) -> bytes:
    """Return a net as a safetensors file; the same net and facts give the same bytes.

    The facts are one JSON text under one name, since safetensors does not keep the order of several.
    """
    header = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    state = {name: tensor.contiguous() for name, tensor in sorted(net.state_dict().items())}
    return bytes(save(state, metadata={HEADER: header}))


def read_facts(path: Path) -> dict[str, Any]:
    """Return the facts in a file of weights: kind, classes, data, seed, accuracies.

    Raises:
        FoleyError: The file is not one that ``foleybench train evaluators`` wrote.
    """
    try:
        with safe_open(path, framework="numpy") as handle:
            header = (handle.metadata() or {}).get(HEADER)
    except (SafetensorError, OSError) as error:
        raise FoleyError(f"{path} is not a safetensors file: {error}. {_REMAKE}") from error
    if header is None:
        raise FoleyError(f"{path} states no facts about its network. {_REMAKE}")
    facts: dict[str, Any] = json.loads(header)
    return facts


def unpack(net: nn.Module, path: Path) -> None:
    """Load a net from a file written by ``packed``, strictly.

    Raises:
        FoleyError: The file does not hold exactly the tensors of the net.
    """
    load_strictly(net, read_safetensors(path), path)


_REMAKE = "Make it again with `foleybench train evaluators`."
