"""Diff-Foley's alignment classifier, its tensors named as in the file.

Widths are arguments, so that tests can use small networks of the same layout. The autoencoder's decoder and the
diffusion schedule exist only because the file holds their tensors, all of which are checked; neither is run.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

N_STEPS = 1000
SCHEDULE = (
    *("betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod"),
    *("log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod"),
    *("posterior_variance", "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2"),
)
N_LATENT = 4
_GROUPS = 32


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention (..., n, d) by explicit softmax, whose result does not depend on which kernel a machine has."""
    scores = (query @ key.transpose(-1, -2)) * query.shape[-1] ** -0.5
    out: Tensor = scores.softmax(dim=-1) @ value
    return out


class _ImageBlock(nn.Module):
    """Residual block of the autoencoder."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(_GROUPS, before, eps=1e-6)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        self.norm2 = nn.GroupNorm(_GROUPS, after, eps=1e-6)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.nin_shortcut = nn.Conv2d(before, after, 1) if before != after else None

    def forward(self, x: Tensor) -> Tensor:
        changed = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        out: Tensor = changed + (x if self.nin_shortcut is None else self.nin_shortcut(x))
        return out


class _ImageAttention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_GROUPS, width, eps=1e-6)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(width, width, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        query, key, value = (layer(normed).flatten(2).transpose(1, 2) for layer in (self.q, self.k, self.v))
        out: Tensor = self.proj_out(_attend(query, key, value).transpose(1, 2).reshape(x.shape))
        return x + out


class _Middle(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block_1 = _ImageBlock(width, width)
        self.attn_1 = _ImageAttention(width)
        self.block_2 = _ImageBlock(width, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.block_2(self.attn_1(self.block_1(x)))
        return out


class _Level(nn.Module):
    """One resolution of the autoencoder: its blocks and, when named, a convolution that changes the resolution."""

    def __init__(self, before: int, after: int, n: int, resample: str = "") -> None:
        super().__init__()
        self.block = nn.ModuleList(_ImageBlock(before if not i else after, after) for i in range(n))
        if resample:
            stride = 2 if resample == "downsample" else 1
            self.add_module(
                resample, nn.ModuleDict({"conv": nn.Conv2d(after, after, 3, stride=stride, padding=2 - stride)})
            )


class ImageEncoder(nn.Module):
    """Image (B, 3, H, W) to moments (B, 8, H / 8, W / 8)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = (width, width, 2 * width, 4 * width, 4 * width)
        self.conv_in = nn.Conv2d(3, width, 3, padding=1)
        self.down = nn.ModuleList(_Level(widths[i], widths[i + 1], 2, "downsample" if i < 3 else "") for i in range(4))
        self.mid = _Middle(widths[-1])
        self.norm_out = nn.GroupNorm(_GROUPS, widths[-1], eps=1e-6)
        self.conv_out = nn.Conv2d(widths[-1], 2 * N_LATENT, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Return the moments before ``quant_conv``."""
        x = self.conv_in(image)
        for level in self.down:
            for block in level.get_submodule("block").children():
                x = block(x)
            if hasattr(level, "downsample"):
                # One row and one column of zeros, below and to the right only.
                x = level.get_submodule("downsample.conv")(F.pad(x, (0, 1, 0, 1)))
        out: Tensor = self.conv_out(F.silu(self.norm_out(self.mid(x))))
        return out


class _ImageDecoder(nn.Module):
    """The decoder's tensors. It has no forward pass: the metric never decodes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = (width, width, 2 * width, 4 * width, 4 * width)
        self.conv_in = nn.Conv2d(N_LATENT, widths[-1], 3, padding=1)
        self.mid = _Middle(widths[-1])
        self.up = nn.ModuleList(
            _Level(widths[min(i + 2, 4)], widths[i + 1], 3, "upsample" if i else "") for i in range(4)
        )
        self.norm_out = nn.GroupNorm(_GROUPS, width, eps=1e-6)
        self.conv_out = nn.Conv2d(width, 3, 3, padding=1)


class Autoencoder(nn.Module):
    """The autoencoder of Stable Diffusion 1; only its encoder is run."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = ImageEncoder(width)
        self.decoder = _ImageDecoder(width)
        self.quant_conv = nn.Conv2d(2 * N_LATENT, 2 * N_LATENT, 1)
        self.post_quant_conv = nn.Conv2d(N_LATENT, N_LATENT, 1)

    def moments(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of the latent, each (B, 4, H / 8, W / 8)."""
        mean, log_variance = self.quant_conv(self.encoder(image)).chunk(2, dim=1)
        return mean, torch.exp(0.5 * log_variance.clamp(-30.0, 20.0))


class _TimedBlock(nn.Module):
    """Residual block of the U-Net, with the embedding of the diffusion time added."""

    def __init__(self, before: int, after: int, n_time: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(nn.GroupNorm(_GROUPS, before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(n_time, after))
        self.out_layers = nn.Sequential(
            *(nn.GroupNorm(_GROUPS, after), nn.SiLU(), nn.Identity(), nn.Conv2d(after, after, 3, padding=1))
        )
        self.skip_connection = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        out: Tensor = self.out_layers(self.in_layers(x) + self.emb_layers(time)[:, :, None, None])
        kept: Tensor = self.skip_connection(x)
        return kept + out


class _Attention(nn.Module):
    """Attention with heads, from tokens to themselves or to the video's."""

    def __init__(self, width: int, n_context: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(n_context, width, bias=False)
        self.to_v = nn.Linear(n_context, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(2, (self.n_heads, -1)).transpose(1, 2)
            for part in (self.to_q(x), self.to_k(context), self.to_v(context))
        )
        out: Tensor = self.to_out(_attend(query, key, value).transpose(1, 2).flatten(2))
        return out


class _Gated(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 8 * width)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        out: Tensor = value * F.gelu(gate)
        return out


class _FeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(_Gated(width), nn.Identity(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net(x)
        return out


class _Transformer(nn.Module):
    def __init__(self, width: int, n_context: int, n_heads: int) -> None:
        super().__init__()
        self.attn1 = _Attention(width, width, n_heads)
        self.attn2 = _Attention(width, n_context, n_heads)
        self.ff = _FeedForward(width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        normed = self.norm1(x)
        x = x + self.attn1(normed, normed)
        x = x + self.attn2(self.norm2(x), context)
        out: Tensor = x + self.ff(self.norm3(x))
        return out


class _SpatialTransformer(nn.Module):
    def __init__(self, width: int, n_context: int, n_heads: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_GROUPS, width, eps=1e-6)
        self.proj_in = nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([_Transformer(width, n_context, n_heads)])
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        tokens = self.transformer_blocks[0](self.proj_in(self.norm(x)).flatten(2).transpose(1, 2), context)
        out: Tensor = self.proj_out(tokens.transpose(1, 2).reshape(x.shape))
        return x + out


class HalfUnet(nn.Module):
    """Latent (B, 4, 16, 64) and video tokens (B, L, context) to the probability of being aligned (B,)."""

    def __init__(self, width: int, n_context: int, n_heads: int) -> None:
        super().__init__()
        wide, n_time = 2 * width, 4 * width
        self.width = width

        def attended() -> _SpatialTransformer:
            return _SpatialTransformer(wide, n_context, n_heads)

        def halved(channels: int) -> nn.ModuleDict:
            return nn.ModuleDict({"op": nn.Conv2d(channels, channels, 3, stride=2, padding=1)})

        self.time_embed = nn.Sequential(nn.Linear(width, n_time), nn.SiLU(), nn.Linear(n_time, n_time))
        self.input_blocks = nn.ModuleList(
            nn.ModuleList(layers)
            for layers in (
                [nn.Conv2d(N_LATENT, width, 3, padding=1)],
                [_TimedBlock(width, width, n_time)],
                [halved(width)],
                [_TimedBlock(width, wide, n_time), attended()],
                [halved(wide)],
                [_TimedBlock(wide, wide, n_time), attended()],
            )
        )
        self.middle_block = nn.ModuleList(
            [_TimedBlock(wide, wide, n_time), attended(), _TimedBlock(wide, wide, n_time)]
        )
        self.out = nn.Sequential(nn.GroupNorm(_GROUPS, wide), nn.SiLU(), nn.Conv2d(wide, width, 3, padding=1))
        self.classifier = nn.Linear(width, 1)

    def forward(self, latent: Tensor, context: Tensor) -> Tensor:
        """Return the probabilities. The diffusion time is always zero: cosines of one, then sines of zero."""
        zero = latent.new_zeros(len(latent), self.width)
        zero[:, : self.width // 2] = 1.0
        time = self.time_embed(zero)
        x = latent
        for layer in (*(layer for block in self.input_blocks for layer in block.children()), *self.middle_block):
            if isinstance(layer, _TimedBlock):
                x = layer(x, time)
            elif isinstance(layer, _SpatialTransformer):
                x = layer(x, context)
            else:
                x = layer["op"](x) if isinstance(layer, nn.ModuleDict) else layer(x)
        return torch.sigmoid(self.classifier(self.out(x).mean(dim=(2, 3))).float())[:, 0]


class PictureTokens(nn.Module):
    """CAVP features (B, L, n) to tokens (B, L, n) with learned places; L is at most 40."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.embedder = nn.Sequential(nn.Linear(n_features, n_features))
        self.pos_emb = nn.Embedding(40, n_features)

    def forward(self, features: Tensor) -> Tensor:
        """Return the tokens."""
        out: Tensor = self.embedder(features) + self.pos_emb.weight[: features.shape[1]]
        return out


class AlignmentClassifier(nn.Module):
    """The whole classifier, as it lies in ``eval_classifier.ckpt``."""

    scale_factor: Tensor

    def __init__(self, width: int = 128, n_features: int = 512, n_heads: int = 8) -> None:
        super().__init__()
        self.first_stage_model = Autoencoder(width)
        self.model = HalfUnet(width, n_features, n_heads)
        self.cond_model = PictureTokens(n_features)
        self.register_buffer("scale_factor", torch.tensor(0.18215))
        for name in SCHEDULE:
            self.register_buffer(name, torch.zeros(N_STEPS))

    def forward(self, spectrogram: Tensor, picture: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the probability that each audio is aligned with its video, (B,).

        Args:
            spectrogram: Shape (B, 128, 512), values in [0, 1].
            picture: CAVP features, shape (B, 32, n_features).
            noise: Shape (B, 4, 16, 64), to sample the latent with; None takes its mean.
        """
        mean, deviation = self.moments(spectrogram)
        latent = self.scale_factor * (mean if noise is None else mean + deviation * noise)
        return self.probability(latent, picture)

    def moments(self, spectrogram: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of the latents of spectrograms (B, 128, T), taken as grey images."""
        return self.first_stage_model.moments(spectrogram[:, None].expand(-1, 3, -1, -1))

    def probability(self, latent: Tensor, picture: Tensor) -> Tensor:
        """Return the probabilities (B,) of scaled latents (B, 4, 16, 64)."""
        out: Tensor = self.model(latent, self.cond_model(picture))
        return out
