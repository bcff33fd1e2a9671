"""Define LAION-CLAP's audio tower, HTSAT-base, in the published layout.

The spectrogram of 10 s, 1001 frames of 64 bands, is stretched to 1024 frames, folded to an image of 256 x 256 (four
quarters in time, one below the other), and seen by a Swin transformer: four stages of windows of 8 x 8 patches, every
other block with its windows shifted by half, the image halved between stages. The mean of its tokens goes through two
linear maps and is made of unit length.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleybench.encoders._inputs.loading import load_strictly, read_state, with_random_weights
from foleybench.encoders._inputs.spectra import MelGrid
from foleybench.encoders._inputs.torchlibrosa import FrozenLogMel

N_BANDS = 64
GRID = MelGrid(rate_hz=48000, window=1024, hop=480, n_bands=N_BANDS, low_hz=50.0, high_hz=14000.0)
SIDE, PATCH, WINDOW = 256, 4, 8
FOLDS = SIDE // N_BANDS
N_CLASSES = 527
APART = -100.0
Shapes = dict[str, tuple[int, ...]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClapSizes:
    """Sizes of the net; the defaults are those of HTSAT-base with RoBERTa-base.

    Attributes:
        width: Token width of the first stage; each stage doubles it.
        depths: Number of blocks of each stage.
        heads: Number of heads of each stage.
        out: Length of the embedding.
        text_width: Token width of the text tower.
        text_depth: Number of layers of the text tower.
        words: Size of the text tower's vocabulary.
    """

    width: int = 128
    depths: tuple[int, ...] = (2, 2, 12, 2)
    heads: tuple[int, ...] = (4, 8, 16, 32)
    out: int = 512
    text_width: int = 768
    text_depth: int = 12
    words: int = 50265


BASE = ClapSizes()


class WindowAttention(nn.Module):
    """Self-attention among the patches of a window, with a learned bias for each offset between two of them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, heads))
        place = torch.stack(torch.meshgrid(torch.arange(WINDOW), torch.arange(WINDOW), indexing="ij")).flatten(1)
        offset = place[:, :, None] - place[:, None, :] + WINDOW - 1
        self.relative_position_index: Tensor
        self.register_buffer("relative_position_index", offset[0] * (2 * WINDOW - 1) + offset[1])
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, windows: Tensor, mask: Tensor | None) -> Tensor:
        """Return (B * windows, 64, D) for the same; ``mask`` is (windows, 64, 64)."""
        n, length, width = windows.shape
        qkv = self.qkv(windows).reshape(n, length, 3, self._heads, width // self._heads).permute(2, 0, 3, 1, 4)
        scores = (qkv[0] * (width // self._heads) ** -0.5) @ qkv[1].transpose(-2, -1)
        bias = self.relative_position_bias_table[self.relative_position_index.flatten()]
        scores = scores + bias.view(length, length, -1).permute(2, 0, 1)
        if mask is not None:
            scores = scores.view(-1, len(mask), self._heads, length, length) + mask[:, None]
            scores = scores.view(n, self._heads, length, length)
        mixed = (scores.softmax(-1) @ qkv[2]).transpose(1, 2).reshape(n, length, width)
        found: Tensor = self.proj(mixed)
        return found


class WindowBlock(nn.Module):
    """Attention within windows, then an MLP of four times the width; each after a layer norm, each added."""

    def __init__(self, width: int, heads: int, side: int, shift: int) -> None:
        super().__init__()
        self._side, self._shift = side, shift
        self.norm1 = nn.LayerNorm(width)
        self.attn = WindowAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})
        self.attn_mask: Tensor | None
        self.register_buffer("attn_mask", _apart(side, shift) if shift else None)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (B, side * side, D) for the same."""
        n, _, width = tokens.shape
        picture = self.norm1(tokens).view(n, self._side, self._side, width)
        windows = _windows(picture.roll((-self._shift, -self._shift), (1, 2)))
        attended = self.attn(windows.reshape(-1, WINDOW * WINDOW, width), self.attn_mask)
        count = self._side // WINDOW
        back = attended.view(n, count, count, WINDOW, WINDOW, width).permute(0, 1, 3, 2, 4, 5)
        back = back.reshape(n, self._side, self._side, width).roll((self._shift, self._shift), (1, 2))
        tokens = tokens + back.reshape(n, -1, width)
        mapped: Tensor = self.mlp["fc2"](functional.gelu(self.mlp["fc1"](self.norm2(tokens))))
        return tokens + mapped


def _windows(picture: Tensor) -> Tensor:
    """From (B, H, W, D) to (B, H / 8 * W / 8, 8, 8, D)."""
    n, side, _, width = picture.shape
    count = side // WINDOW
    parts = picture.view(n, count, WINDOW, count, WINDOW, width).permute(0, 1, 3, 2, 4, 5)
    return parts.reshape(n, count * count, WINDOW, WINDOW, width)


def _apart(side: int, shift: int) -> Tensor:
    """The mask of shifted windows: patches from different edges of the image do not see each other."""
    edges = torch.zeros(side)
    edges[-WINDOW:-shift], edges[-shift:] = 1, 2
    region = _windows((3 * edges[:, None] + edges)[None, :, :, None]).flatten(2)[0]
    different = region[:, None, :] != region[:, :, None]
    return torch.where(different, APART, 0.0)


class Halving(nn.Module):
    """Four neighbouring patches become one of twice the width."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self._side = side
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(4 * width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (B, side * side / 4, 2 D) for (B, side * side, D)."""
        n, _, width = tokens.shape
        picture = tokens.view(n, self._side, self._side, width)
        corners = [picture[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        found: Tensor = self.reduction(self.norm(torch.cat(corners, -1).view(n, -1, 4 * width)))
        return found


class Htsat(FrozenLogMel):
    """From samples to the mean of the last stage's tokens."""

    def __init__(self, sizes: ClapSizes) -> None:
        super().__init__(GRID)
        self.bn0 = nn.BatchNorm2d(N_BANDS)
        patches = nn.Conv2d(1, sizes.width, PATCH, stride=PATCH)
        self.patch_embed = nn.ModuleDict({"proj": patches, "norm": nn.LayerNorm(sizes.width)})
        stages: list[nn.Module] = []
        for index, (depth, heads) in enumerate(zip(sizes.depths, sizes.heads, strict=True)):
            width, side = sizes.width << index, SIDE // PATCH >> index
            shifts = [0 if number % 2 == 0 or side <= WINDOW else WINDOW // 2 for number in range(depth)]
            blocks = nn.Sequential(*(WindowBlock(width, heads, side, shift) for shift in shifts))
            last = index == len(sizes.depths) - 1
            stages.append(nn.ModuleDict({"blocks": blocks} | ({} if last else {"downsample": Halving(width, side)})))
        self.layers = nn.ModuleList(stages)
        last_width = sizes.width << (len(sizes.depths) - 1)
        self.norm = nn.LayerNorm(last_width)
        # The tagging head; in the file, not used for the embedding.
        self.tscam_conv = nn.Conv2d(last_width, N_CLASSES, (SIDE // PATCH >> 3 >> 2, 3), padding=(0, 1))
        self.head = nn.Linear(N_CLASSES, N_CLASSES)

    def forward(self, audio: Tensor) -> Tensor:
        """Return (B, 8 * width) for audio (B, 480000)."""
        mel = self.bn0(self.log_mel(audio).transpose(1, 3)).transpose(1, 3)
        mel = functional.interpolate(mel, (SIDE * FOLDS, N_BANDS), mode="bicubic", align_corners=True)
        folded = mel.transpose(2, 3).reshape(len(mel), 1, N_BANDS, FOLDS, SIDE).transpose(2, 3)
        picture = folded.reshape(len(mel), 1, SIDE, SIDE)
        tokens = self.patch_embed["norm"](self.patch_embed["proj"](picture).flatten(2).transpose(1, 2))
        for stage in self.layers:
            assert isinstance(stage, nn.ModuleDict)
            tokens = stage["blocks"](tokens)
            tokens = stage["downsample"](tokens) if "downsample" in stage else tokens
        mean: Tensor = self.norm(tokens).mean(dim=1)
        return mean


class ClapAudioTower(nn.Module):
    """The audio tower of CLAP, its tensors named as in the published file."""

    def __init__(self, sizes: ClapSizes = BASE) -> None:
        super().__init__()
        self.audio_branch = Htsat(sizes)
        width = sizes.width << (len(sizes.depths) - 1)
        self.audio_projection = nn.Sequential(nn.Linear(width, sizes.out), nn.ReLU(), nn.Linear(sizes.out, sizes.out))

    def forward(self, audio: Tensor) -> Tensor:
        """Return unit vectors (B, 512) for audio (B, 480000) at 48 kHz."""
        return functional.normalize(self.audio_projection(self.audio_branch(audio)), dim=-1)


def new_net(sizes: ClapSizes = BASE) -> ClapAudioTower:
    """Return the tower with random weights, in evaluation mode."""
    net = with_random_weights(lambda: ClapAudioTower(sizes))
    net.audio_branch.set_filters()
    return net


def other_shapes(sizes: ClapSizes = BASE) -> Shapes:
    """Return the shapes of the file's tensors that the audio tower does not hold, by name."""
    width, out = sizes.text_width, sizes.out
    embeddings = {"word": sizes.words, "position": 514, "token_type": 1}
    shapes: Shapes = {f"text_branch.embeddings.{n}_embeddings.weight": (k, width) for n, k in embeddings.items()}
    shapes |= _pair("text_branch.embeddings.LayerNorm", width)
    for index in range(sizes.text_depth):
        layer = f"text_branch.encoder.layer.{index}"
        for name in ("query", "key", "value"):
            shapes |= _pair(f"{layer}.attention.self.{name}", width, width)
        shapes |= _pair(f"{layer}.attention.output.dense", width, width)
        shapes |= _pair(f"{layer}.intermediate.dense", 4 * width, width) | _pair(
            f"{layer}.output.dense", width, 4 * width
        )
        shapes |= _pair(f"{layer}.attention.output.LayerNorm", width) | _pair(f"{layer}.output.LayerNorm", width)
    shapes |= _pair("text_branch.pooler.dense", width, width)
    shapes |= _pair("text_projection.0", out, width) | _pair("text_projection.2", out, out)
    for modality in ("audio", "text"):
        shapes |= _pair(f"{modality}_transform.sequential.0", out, out)
        shapes |= _pair(f"{modality}_transform.sequential.3", out, out)
    return shapes | {"logit_scale_a": (), "logit_scale_t": ()}


def _pair(name: str, *shape: int) -> Shapes:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def load_weights(net: ClapAudioTower, path: Path, sizes: ClapSizes = BASE) -> ClapAudioTower:
    """Put the audio tensors of a published file into the tower.

    Raises:
        FoleyError: The file does not hold exactly the tensors of the whole model.
    """
    load_strictly(net, published_state(path), path, unused=other_shapes(sizes))
    return net


def published_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a published file under the names of the whole model.

    The releases keep the tensors under ``state_dict``, from training on several GPUs with ``module.`` before each name,
    and those from older transformers hold the numbers 0 to 513 as ``position_ids``.
    """
    state = {name.removeprefix("module."): tensor for name, tensor in read_state(path, inside="state_dict").items()}
    state.pop("text_branch.embeddings.position_ids", None)
    return state
