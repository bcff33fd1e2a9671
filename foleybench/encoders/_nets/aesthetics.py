"""Define Audiobox Aesthetics: WavLM's layers, weighed and judged by four heads.

WavLM is the class of transformers; the published file names its tensors as Microsoft's code does, which is translated
here. How deep the heads are and how their outputs are scaled stands in the file itself.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleybench.encoders._inputs.loading import load_strictly, read_content, tensors_of
from foleybench.encoders._inputs.transformers import transformers_for
from foleybench.errors import WrongWeightsError

AXES = ("CE", "CU", "PC", "PQ")
# What the encoder can follow; the package's code knows more ways, which no published file uses as far as is known.
_FIXED = {"use_weighted_layer_sum": True, "output_dim": 1, "proj_act_fn": "gelu"}
_RENAMED = (
    (r"^wavlm_model\.mask_emb$", "wavlm_model.masked_spec_embed"),
    (r"^wavlm_model\.layer_norm\.", "wavlm_model.feature_projection.layer_norm."),
    (r"^wavlm_model\.post_extract_proj\.", "wavlm_model.feature_projection.projection."),
    (r"(feature_extractor\.conv_layers\.\d+)\.0\.", r"\1.conv."),
    (r"(feature_extractor\.conv_layers\.0)\.2\.", r"\1.layer_norm."),
    (r"encoder\.pos_conv\.0\.weight_g$", "encoder.pos_conv_embed.conv.parametrizations.weight.original0"),
    (r"encoder\.pos_conv\.0\.weight_v$", "encoder.pos_conv_embed.conv.parametrizations.weight.original1"),
    (r"encoder\.pos_conv\.0\.bias$", "encoder.pos_conv_embed.conv.bias"),
    (r"\.self_attn_layer_norm\.", ".layer_norm."),
    (r"\.self_attn\.grep_linear\.", ".attention.gru_rel_pos_linear."),
    (r"\.self_attn\.grep_a$", ".attention.gru_rel_pos_const"),
    (r"\.self_attn\.relative_attention_bias\.", ".attention.rel_attn_embed."),
    (r"\.self_attn\.", ".attention."),
    (r"\.fc1\.", ".feed_forward.intermediate_dense."),
    (r"\.fc2\.", ".feed_forward.output_dense."),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What a file says of its own net.

    Attributes:
        depth: Linear layers of each head.
        norms: Whether a layer norm follows each of them but the last.
        dropout: Whether a (now idle) dropout stands behind each, which moves the numbers in their names.
        unit_length: Whether the mean of the frames is made of unit length.
        scales: Mean and standard deviation of each axis's ratings, by axis.
    """

    depth: int
    norms: bool
    dropout: bool
    unit_length: bool
    scales: Mapping[str, tuple[float, float]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class WavlmSizes:
    """Sizes of WavLM; the defaults are those of its base."""

    width: int = 768
    depth: int = 12
    heads: int = 12
    inner: int = 3072
    channels: int = 512


BASE = WavlmSizes()


class Aesthetics(nn.Module):
    """The net: 16 kHz audio of one window to four ratings."""

    def __init__(self, settings: Settings, sizes: WavlmSizes = BASE) -> None:
        super().__init__()
        package = transformers_for("Audiobox Aesthetics")
        config = package.WavLMConfig(
            hidden_size=sizes.width,
            num_hidden_layers=sizes.depth,
            num_attention_heads=sizes.heads,
            intermediate_size=sizes.inner,
            conv_dim=(sizes.channels,) * 7,
            num_buckets=320,
            max_bucket_distance=800,
            do_stable_layer_norm=False,
            feat_extract_norm="group",
            conv_bias=False,
        )
        self.wavlm_model: Any = package.WavLMModel(config)
        self.proj_layer = nn.ModuleDict({axis: _head(settings, sizes.width) for axis in AXES})
        self.layer_weights = nn.ParameterDict(
            {axis: nn.Parameter(torch.full((sizes.depth + 1,), 1.0 / (sizes.depth + 1))) for axis in AXES}
        )
        self._settings = settings

    def forward(self, audio: Tensor, n_valid: Tensor) -> Tensor:
        """Return the ratings (B, 4) of CE, CU, PC and PQ.

        Args:
            audio: Windows, shape (B, N).
            n_valid: How many of a window's first samples are the clip's, shape (B,); the rest is no part of the mean.
        """
        states, valid = self._states(audio, n_valid)
        weight = valid[..., None].to(states[0].dtype)
        rated = []
        for axis in AXES:
            shares = functional.softmax(self.layer_weights[axis], dim=-1)
            frames = torch.stack([share * state for share, state in zip(shares, states, strict=True)]).sum(dim=0)
            mean = (frames * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
            if self._settings.unit_length:
                mean = functional.normalize(mean, dim=-1)
            centre, spread = self._settings.scales[axis]
            rated.append(self.proj_layer[axis](mean)[:, 0] * spread + centre)
        return torch.stack(rated, dim=1)

    def _states(self, audio: Tensor, n_valid: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return what goes into WavLM's first block and what comes out of each, (B, T, D), and which frames count."""
        net = self.wavlm_model
        frames, _ = net.feature_projection(net.feature_extractor(audio).transpose(1, 2))
        # As Microsoft's code: a frame is one T-th of the window, and is left out when all of its samples are.
        step = audio.shape[1] // frames.shape[1]
        valid = torch.arange(frames.shape[1], device=audio.device)[None] * step < n_valid[:, None]
        frames = torch.where(valid[..., None], frames, torch.zeros_like(frames))
        frames = net.encoder.layer_norm(frames + net.encoder.pos_conv_embed(frames))
        states, bias = [frames], None
        with warnings.catch_warnings():
            # transformers gives torch a mask of truth values beside a bias of numbers, which torch wants alike.
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask and attn_mask")
            for number, block in enumerate(net.encoder.layers):
                frames, bias = block(frames, attention_mask=valid, position_bias=bias, index=number)
                states.append(frames)
        return states, valid


def _head(settings: Settings, width: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for _ in range(settings.depth - 1):
        parts += [nn.Linear(width, width), *([nn.LayerNorm(width)] if settings.norms else []), nn.GELU()]
        parts += [nn.Dropout(0.0)] if settings.dropout else []
    return nn.Sequential(*parts, nn.Linear(width, 1))


def load_weights(path: Path, sizes: WavlmSizes = BASE) -> Aesthetics:
    """Return the net that a published ``checkpoint.pt`` holds.

    Raises:
        WrongWeightsError: The file is not one, holds other tensors than its settings say, or has settings that are
            not known here.
    """
    content = read_content(path)
    if not isinstance(content, Mapping) or not {"state_dict", "model_cfg", "target_transform"} <= set(content):
        raise WrongWeightsError(
            f"{path} is not the checkpoint of Audiobox Aesthetics: it lacks state_dict, model_cfg or "
            "target_transform. Fetch checkpoint.pt; model.safetensors of the same authors is another form."
        )
    settings = settings_of(content["model_cfg"], content["target_transform"], sizes, path)
    state = tensors_of(content["state_dict"], path)
    with torch.device("meta"):
        net = Aesthetics(settings, sizes)
    load_strictly(net, {_renamed(name): tensor for name, tensor in state.items()}, path)
    return net


def settings_of(config: Any, scales: Any, sizes: WavlmSizes, path: Path) -> Settings:
    """Return a file's settings.

    Raises:
        WrongWeightsError: One is absent, or asks for what is not done here.
    """
    try:
        found = {name: config[name] for name in (*_FIXED, "nth_layer", "proj_ln", "proj_dropout", "normalize_embed")}
        depth = int(config["proj_num_layer"])
        known = {axis: (float(scales[axis]["mean"]), float(scales[axis]["std"])) for axis in AXES}
    except (KeyError, TypeError, ValueError) as error:
        raise WrongWeightsError(
            f"{path} does not say how its net is made: {type(error).__name__}: {error}. Fetch the published file."
        ) from error
    wanted = _FIXED | {"nth_layer": sizes.depth + 1}
    other = {name: found[name] for name, value in wanted.items() if found[name] != value}
    if other or depth < 1:
        raise WrongWeightsError(
            f"{path} has settings that this encoder does not follow: {other or {'proj_num_layer': depth}}. Fetch the "
            "published file; for another one use the authors' package."
        )
    return Settings(
        depth=depth,
        norms=bool(found["proj_ln"]),
        dropout=bool(found["proj_dropout"]),
        unit_length=bool(found["normalize_embed"]),
        scales=known,
    )


def _renamed(name: str) -> str:
    name = re.sub(r"^model\.", "", name)
    for pattern, instead in _RENAMED:
        name = re.sub(pattern, instead, name)
    return name
