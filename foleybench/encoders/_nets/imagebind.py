"""Define ImageBind-huge's audio and video towers, in the published layout.

Each tower is a vision transformer: patches, a class token, learned positions, blocks that normalise first, a linear map
of the class token, unit length. The audio tower gives its keys and values one learned token more (``bias_k``,
``bias_v``) and scales the result by a fixed factor.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleybench.encoders._inputs.loading import load_strictly, read_state

Shapes = dict[str, tuple[int, ...]]
MAX_SCALE = 100.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tower:
    """Size of a transformer.

    Attributes:
        width: Width of the tokens.
        depth: Number of blocks.
        heads: Number of heads.
    """

    width: int
    depth: int
    heads: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageBindSizes:
    """Sizes of all towers; the defaults are those of ``imagebind_huge``.

    Attributes:
        out: Length of an embedding.
        vision: Video.
        audio: Audio.
        text: Text.
        depth: Depth maps.
        thermal: Thermal images.
        imu: Motion sensors.
        words: Size of the text tower's vocabulary.
    """

    out: int = 1024
    vision: Tower = Tower(width=1280, depth=32, heads=16)
    audio: Tower = Tower(width=768, depth=12, heads=12)
    text: Tower = Tower(width=1024, depth=24, heads=16)
    depth: Tower = Tower(width=384, depth=12, heads=8)
    thermal: Tower = Tower(width=768, depth=12, heads=12)
    imu: Tower = Tower(width=512, depth=6, heads=8)
    words: int = 49408


HUGE = ImageBindSizes()


class Block(nn.Module):
    """Self-attention and an MLP of four times the width with exact GELU, each after a layer norm, each added."""

    def __init__(self, size: Tower, *, extra_token: bool) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(size.width, size.heads, add_bias_kv=extra_token)
        self.norm_1 = nn.LayerNorm(size.width, eps=1e-6)
        self.mlp = nn.ModuleDict(
            {"fc1": nn.Linear(size.width, 4 * size.width), "fc2": nn.Linear(4 * size.width, size.width)}
        )
        self.norm_2 = nn.LayerNorm(size.width, eps=1e-6)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (L, B, D) for (L, B, D)."""
        normed = self.norm_1(tokens)
        tokens = tokens + self.attn(normed, normed, normed, need_weights=False)[0]
        mapped: Tensor = self.mlp["fc2"](functional.gelu(self.mlp["fc1"](self.norm_2(tokens))))
        return tokens + mapped


class PatchTower(nn.Module):
    """A tower whose input is cut into patches, its tensors named as in the published file.

    Attributes:
        modality: The tower's name in the file.
    """

    def __init__(self, modality: str, size: Tower, out: int, *, patches: nn.Module, n_patches: int) -> None:
        super().__init__()
        self.modality = modality
        picture = modality == "vision"
        stem: dict[str, nn.Module] = {"proj": nn.Sequential(nn.Identity(), patches) if picture else patches}
        stem |= {} if picture else {"norm_layer": nn.LayerNorm(size.width)}
        positions = nn.ParameterDict({"pos_embed": nn.Parameter(0.02 * torch.randn(1, 1 + n_patches, size.width))})
        before = nn.Module()
        before.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, size.width))
        before.pos_embedding_helper = positions
        before.add_module("depth_stem" if modality == "depth" else "rgbt_stem", nn.ModuleDict(stem))
        trunk: dict[str, nn.Module] = {"pre_transformer_layer": nn.Sequential(nn.LayerNorm(size.width, eps=1e-6))}
        trunk = trunk if picture else {}
        trunk["blocks"] = nn.Sequential(*(Block(size, extra_token=not picture) for _ in range(size.depth)))
        head = nn.Sequential(nn.LayerNorm(size.width, eps=1e-6), nn.Identity(), nn.Linear(size.width, out, bias=False))
        after = nn.Sequential(nn.Identity(), _Scale()) if not picture else nn.Identity()
        self.modality_preprocessors = nn.ModuleDict({modality: before})
        self.modality_trunks = nn.ModuleDict({modality: nn.ModuleDict(trunk)})
        self.modality_heads = nn.ModuleDict({modality: head})
        self.modality_postprocessors = nn.ModuleDict({modality: after})

    def forward(self, clips: Tensor) -> Tensor:
        """Return the mean of the embeddings of each item's clips, (B, clips, ...) to (B, out)."""
        n_items, n_clips = clips.shape[:2]
        before: Any = self.modality_preprocessors[self.modality]
        stem = before.depth_stem if self.modality == "depth" else before.rgbt_stem
        tokens = stem["proj"](clips.flatten(0, 1)).flatten(2).transpose(1, 2)
        tokens = stem["norm_layer"](tokens) if "norm_layer" in stem else tokens
        tokens = torch.cat([before.cls_token.expand(len(tokens), -1, -1), tokens], dim=1)
        tokens = tokens + before.pos_embedding_helper["pos_embed"]
        trunk: Any = self.modality_trunks[self.modality]
        tokens = trunk["pre_transformer_layer"](tokens) if "pre_transformer_layer" in trunk else tokens
        tokens = trunk["blocks"](tokens.transpose(0, 1))[0]
        unit = functional.normalize(self.modality_heads[self.modality](tokens), dim=-1)
        embedding: Tensor = self.modality_postprocessors[self.modality](unit)
        return embedding.reshape(n_items, n_clips, -1).mean(dim=1)


class _Scale(nn.Module):
    """Multiplication by a learned or fixed factor, kept as its logarithm, at most 100."""

    def __init__(self) -> None:
        super().__init__()
        self.log_logit_scale: Tensor
        self.register_buffer("log_logit_scale", torch.zeros(()))

    def forward(self, values: Tensor) -> Tensor:
        return self.log_logit_scale.exp().clamp(max=MAX_SCALE) * values


def vision_tower(sizes: ImageBindSizes = HUGE) -> PatchTower:
    """Return the video tower with random weights: pairs of frames (B, clips, 3, 2, 224, 224)."""
    kernel = (2, 14, 14)
    patches = nn.Conv3d(3, sizes.vision.width, kernel, stride=kernel, bias=False)
    return PatchTower("vision", sizes.vision, sizes.out, patches=patches, n_patches=256).eval()


def audio_tower(sizes: ImageBindSizes = HUGE) -> PatchTower:
    """Return the audio tower with random weights: spectrograms (B, clips, 1, 128, 204)."""
    patches = nn.Conv2d(1, sizes.audio.width, 16, stride=10, bias=False)
    return PatchTower("audio", sizes.audio, sizes.out, patches=patches, n_patches=12 * 19).eval()


def _still_tower(modality: str, size: Tower, out: int) -> PatchTower:
    patches = nn.Conv2d(1, size.width, 16, stride=16, bias=False)
    return PatchTower(modality, size, out, patches=patches, n_patches=196)


def layout(sizes: ImageBindSizes = HUGE) -> Shapes:
    """Return the shape of every tensor of the published file, by name."""
    with torch.device("meta"):
        towers = [vision_tower(sizes), audio_tower(sizes)]
        towers += [_still_tower("depth", sizes.depth, sizes.out), _still_tower("thermal", sizes.thermal, sizes.out)]
        shapes = {name: tuple(tensor.shape) for tower in towers for name, tensor in tower.state_dict().items()}
        shapes |= _blocks("text", sizes.text, extra_token=False) | _blocks("imu", sizes.imu, extra_token=True)
    return shapes | _text_ends(sizes) | _imu_ends(sizes)


def _blocks(modality: str, size: Tower, *, extra_token: bool) -> Shapes:
    blocks = nn.Sequential(*(Block(size, extra_token=extra_token) for _ in range(size.depth)))
    return {f"modality_trunks.{modality}.blocks.{name}": tuple(t.shape) for name, t in blocks.state_dict().items()}


def _text_ends(sizes: ImageBindSizes) -> Shapes:
    width = sizes.text.width
    return {
        "modality_preprocessors.text.pos_embed": (1, 77, width),
        "modality_preprocessors.text.mask": (77, 77),
        "modality_preprocessors.text.token_embedding.weight": (sizes.words, width),
        "modality_heads.text.proj.0.weight": (width,),
        "modality_heads.text.proj.0.bias": (width,),
        "modality_heads.text.proj.1.weight": (sizes.out, width),
        "modality_postprocessors.text.1.log_logit_scale": (),
    }


def _imu_ends(sizes: ImageBindSizes) -> Shapes:
    width = sizes.imu.width
    return {
        "modality_preprocessors.imu.pos_embed": (1, 251, width),
        "modality_preprocessors.imu.cls_token": (1, 1, width),
        "modality_preprocessors.imu.imu_stem.proj.weight": (width, 48),
        "modality_preprocessors.imu.imu_stem.norm_layer.weight": (width,),
        "modality_preprocessors.imu.imu_stem.norm_layer.bias": (width,),
        "modality_heads.imu.0.weight": (width,),
        "modality_heads.imu.0.bias": (width,),
        "modality_heads.imu.3.weight": (sizes.out, width),
        "modality_postprocessors.imu.1.log_logit_scale": (),
    }


def load_weights(tower: PatchTower, path: Path, sizes: ImageBindSizes = HUGE) -> PatchTower:
    """Put a tower's part of a published file into it.

    Raises:
        FoleyError: The file does not hold exactly the tensors of all six towers.
    """
    own = tower.state_dict()
    load_strictly(tower, read_state(path), path, unused={n: s for n, s in layout(sizes).items() if n not in own})
    return tower
