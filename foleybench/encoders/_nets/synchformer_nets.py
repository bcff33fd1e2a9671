"""Define Synchformer's three transformers, tensors named as in the file.

Sizes are arguments, so that tests can use small networks of the same layout.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn import functional as F

N_OFFSETS = 21
# Tokens of one segment: video tokens (two frames each) and audio tokens.
TUBES, SOUND_STEPS, SOUND_BANDS = 8, 6, 12
# Segments that the offset head reads at once.
WINDOW = 14


@dataclasses.dataclass(frozen=True, kw_only=True)
class SynchformerSizes:
    """Sizes of the networks; the defaults are the published ones.

    Attributes:
        width: Width of all tokens.
        n_heads: Heads of the two towers.
        depth: Blocks of each tower.
        head_heads: Heads of the transformer that reads both.
        head_depth: Blocks of that transformer.
        side: Patches along a side of a frame.
    """

    width: int = 768
    n_heads: int = 12
    depth: int = 12
    head_heads: int = 8
    head_depth: int = 3
    side: int = 14


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(query, key, value)


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class _DividedAttention(nn.Module):
    """Attention within groups of patches; the class token reads all patches and is read by all groups."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor, *, over_time: bool) -> Tensor:
        """Return (B, 1 + 8 n, width), groups being the 8 tubes of a place (over time) or the n places of a tube."""
        query, key, value = self.qkv(x).unflatten(2, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        first = _attend(query[:, :, :1], key, value)

        def grouped(part: Tensor) -> Tensor:
            patches = part[:, :, 1:].reshape(*part.shape[:2], TUBES, -1, part.shape[3])
            return patches.transpose(2, 3) if over_time else patches

        groups = grouped(query)
        with_first = [
            torch.cat([part[:, :, None, :1].expand(-1, -1, groups.shape[2], -1, -1), grouped(part)], dim=3)
            for part in (key, value)
        ]
        rest = _attend(groups, *with_first)
        rest = (rest.transpose(2, 3) if over_time else rest).flatten(2, 3)
        out: Tensor = self.proj(torch.cat([first, rest], dim=2).transpose(1, 2).flatten(2))
        return out


class _DividedBlock(nn.Module):
    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width, eps=1e-6) for _ in range(3))
        self.attn, self.timeattn = _DividedAttention(width, n_heads), _DividedAttention(width, n_heads)
        self.mlp = _Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.timeattn(self.norm3(x), over_time=True)
        x = x + self.attn(self.norm1(x), over_time=False)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class _SelfAttention(nn.Module):
    """torch's own layout of attention: one matrix for query, key and value."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width) * width**-0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        projected = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        query, key, value = projected.reshape(*x.shape[:2], 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        out: Tensor = self.out_proj(_attend(query, key, value).transpose(1, 2).flatten(2))
        return out


class _Aggregator(nn.Module):
    """One transformer layer with a class token that sums up a group of tokens: (B, n, width) to (B, width)."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.self_attn = _SelfAttention(width, n_heads)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1)
        x = (x + self.self_attn(self.norm1(x)))[:, 0]
        out: Tensor = x + self.linear2(F.gelu(self.linear1(self.norm2(x))))
        return out


class _Projection(nn.Module):
    """A convolution under the name that the file gives it."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.proj = conv

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens (B, n, width), row by row."""
        out: Tensor = self.proj(x).flatten(2).transpose(1, 2)
        return out


class PictureTower(nn.Module):
    """Segments (S, 3, 16, 224, 224) to features (S, 8, width)."""

    def __init__(self, size: SynchformerSizes) -> None:
        super().__init__()
        width = size.width
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, size.side**2 + 1, width))
        self.temp_embed = nn.Parameter(torch.zeros(1, TUBES, width))
        # This tensor is in the file, and its authors never use it either.
        self.patch_embed = _Projection(nn.Conv2d(3, width, 16, stride=16))
        self.patch_embed_3d = _Projection(nn.Conv3d(3, width, (2, 16, 16), stride=(2, 16, 16)))
        self.blocks = nn.ModuleList(_DividedBlock(width, size.n_heads) for _ in range(size.depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.spatial_attn_agg = _Aggregator(width, size.n_heads)

    def forward(self, segments: Tensor) -> Tensor:
        """Return the features."""
        tokens = self.patch_embed_3d(segments)
        places, n_places = self.pos_embed[:, 1:], self.pos_embed.shape[1] - 1
        tokens = tokens + places.repeat(1, TUBES, 1) + self.temp_embed.repeat_interleave(n_places, dim=1)
        x = torch.cat([(self.cls_token + self.pos_embed[:, :1]).expand(len(tokens), -1, -1), tokens], dim=1)
        for block in self.blocks:
            x = block(x)
        by_tube = self.norm(x[:, 1:]).unflatten(1, (TUBES, n_places)).flatten(0, 1)
        out: Tensor = self.spatial_attn_agg(by_tube).unflatten(0, (-1, TUBES))
        return out


class _AstAttention(nn.Module):
    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.attention = nn.ModuleDict(
            {"attention": nn.ModuleDict({name: nn.Linear(width, width) for name in ("query", "key", "value")})}
        )
        self.attention["output"] = nn.ModuleDict({"dense": nn.Linear(width, width)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, 4 * width)})
        self.output = nn.ModuleDict({"dense": nn.Linear(4 * width, width)})
        self.layernorm_before = nn.LayerNorm(width, eps=1e-12)
        self.layernorm_after = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.layernorm_before(x)
        inner = self.attention.get_submodule("attention")
        query, key, value = (
            inner.get_submodule(name)(normed).unflatten(2, (self.n_heads, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        x = x + self.attention.get_submodule("output.dense")(_attend(query, key, value).transpose(1, 2).flatten(2))
        hidden = F.gelu(self.intermediate["dense"](self.layernorm_after(x)))
        out: Tensor = x + self.output["dense"](hidden)
        return out


class _AstEmbeddings(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.distillation_token = nn.Parameter(torch.zeros(1, 1, width))
        self.position_embeddings = nn.Parameter(torch.zeros(1, SOUND_BANDS * SOUND_STEPS + 2, width))
        self.patch_embeddings = nn.ModuleDict({"projection": nn.Conv2d(1, width, 16, stride=10)})

    def forward(self, spectrogram: Tensor) -> Tensor:
        tokens = self.patch_embeddings["projection"](spectrogram[:, None]).flatten(2).transpose(1, 2)
        first = [token.expand(len(tokens), -1, -1) for token in (self.cls_token, self.distillation_token)]
        return torch.cat([*first, tokens], dim=1) + self.position_embeddings


class _Ast(nn.Module):
    def __init__(self, size: SynchformerSizes) -> None:
        super().__init__()
        self.embeddings = _AstEmbeddings(size.width)
        layers = nn.ModuleList(_AstAttention(size.width, size.n_heads) for _ in range(size.depth))
        self.encoder = nn.ModuleDict({"layer": layers})
        self.layernorm = nn.LayerNorm(size.width, eps=1e-12)

    def forward(self, spectrogram: Tensor) -> Tensor:
        x = self.embeddings(spectrogram)
        for layer in self.encoder.get_submodule("layer").children():
            x = layer(x)
        out: Tensor = self.layernorm(x)
        return out


class SoundTower(nn.Module):
    """Spectrograms (S, 128, 66) to features (S, 6, width)."""

    def __init__(self, size: SynchformerSizes) -> None:
        super().__init__()
        self.ast = _Ast(size)
        self.freq_attn_agg = _Aggregator(size.width, size.n_heads)

    def forward(self, spectrograms: Tensor) -> Tensor:
        """Return the features."""
        tokens = self.ast(spectrograms)[:, 2:].unflatten(1, (SOUND_BANDS, SOUND_STEPS))
        by_step = tokens.transpose(1, 2).flatten(0, 1)
        out: Tensor = self.freq_attn_agg(by_step).unflatten(0, (-1, SOUND_STEPS))
        return out


class _HeadAttention(nn.Module):
    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.key, self.query, self.value, self.proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            layer(x).unflatten(2, (self.n_heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        out: Tensor = self.proj(_attend(query, key, value).transpose(1, 2).flatten(2))
        return out


class _HeadBlock(nn.Module):
    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = _HeadAttention(width, n_heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln1(x))
        out: Tensor = x + self.mlp(self.ln2(x))
        return out


class OffsetHead(nn.Module):
    """Features of 14 segments, video (B, 14 * 8, width) and audio (B, 14 * 6, width), to logits (B, 21)."""

    def __init__(self, size: SynchformerSizes) -> None:
        super().__init__()
        width = size.width
        self.OFF_tok = nn.Parameter(torch.zeros(1, 1, width))
        self.MOD_tok = nn.Parameter(torch.zeros(1, 1, width))
        self.vis_in_lnorm, self.aud_in_lnorm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.pos_emb_cfg = nn.ParameterDict(
            {"pos_emb": nn.Parameter(torch.zeros(1, 2 + WINDOW * (TUBES + SOUND_STEPS), width))}
        )
        self.blocks = nn.Sequential(*(_HeadBlock(width, size.head_heads) for _ in range(size.head_depth)))
        self.ln_f = nn.LayerNorm(width)
        self.off_head = nn.Linear(width, N_OFFSETS)

    def forward(self, picture: Tensor, sound: Tensor) -> Tensor:
        """Return the logits."""
        first, between = (token.expand(len(picture), -1, -1) for token in (self.OFF_tok, self.MOD_tok))
        x = torch.cat([first, self.vis_in_lnorm(picture), between, self.aud_in_lnorm(sound)], dim=1)
        x = self.blocks(x + self.pos_emb_cfg["pos_emb"])
        out: Tensor = self.off_head(self.ln_f(x)[:, 0])
        return out


class Synchformer(nn.Module):
    """The whole network, as it lies in ``synchformer_state_dict.pth``."""

    def __init__(self, size: SynchformerSizes | None = None) -> None:
        super().__init__()
        size = size or SynchformerSizes()
        self.vfeat_extractor = PictureTower(size)
        self.afeat_extractor = SoundTower(size)
        self.vproj, self.aproj = nn.Linear(size.width, size.width), nn.Linear(size.width, size.width)
        self.transformer = OffsetHead(size)

    def offsets(self, picture: Tensor, sound: Tensor) -> Tensor:
        """Return logits (B, 21) from features (B, 14, 8, width) and (B, 14, 6, width)."""
        out: Tensor = self.transformer(self.vproj(picture).flatten(1, 2), self.aproj(sound).flatten(1, 2))
        return out
