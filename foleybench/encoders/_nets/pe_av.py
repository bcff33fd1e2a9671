"""Build PE-AV's audio and video towers from transformers' own classes.

Both towers are in the hub's one file. The authors publish six sizes in one layout. How wide and deep a file's towers
are is read from its tensors' shapes; that every tensor of that layout is there, and no other, is then checked by name
and shape. Tensors that the model holds several times (its tied weights) are in the file once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from foleybench.clips import AudioArray, FrameArray
from foleybench.encoders._inputs.loading import load_strictly, read_safetensors, with_random_weights
from foleybench.encoders._inputs.transformers import transformers_for
from foleybench.errors import FoleyError
from foleybench.media.audio import require_finite

Shapes = Mapping[str, tuple[int, ...]]
HOP = 1920
N_FRAMES = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class PeFrameEncoder:
    """The vision transformer that encodes single frames.

    Attributes:
        architecture: Its name in timm.
        size: Height and width of the input frames.
        options: Further arguments for timm.
    """

    architecture: str = "vit_pe_core_large_patch14_336"
    size: int = 336
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


LARGE = PeFrameEncoder()


def padded_audio(audio: AudioArray) -> AudioArray:
    """Return audio (N,) at 48 kHz filled up by reflection to a multiple of 1920 samples, at least 1920."""
    require_finite(audio)
    audio = audio if len(audio) > 1 else np.zeros(2, dtype=np.float32)
    return np.pad(audio, (0, -len(audio) % HOP), mode="reflect")


def pe_av_frames(frames: FrameArray, size: int = LARGE.size) -> npt.NDArray[np.float32]:
    """Return 16 frames, evenly spaced from the first to the last, squeezed to a square, in [-1, 1].

    Args:
        frames: Shape (T, H, W, 3), T >= 1.
        size: Height and width of the squares.

    Returns:
        Shape (16, 3, size, size), float32.
    """
    from torchvision.transforms.v2 import functional  # importing it takes seconds

    chosen = [int(place * (len(frames) - 1) / (N_FRAMES - 1)) for place in range(N_FRAMES)]
    pixels = torch.from_numpy(np.ascontiguousarray(frames[chosen])).permute(0, 3, 1, 2)
    resized = functional.resize(pixels, [size, size], interpolation=functional.InterpolationMode.BILINEAR)
    squares: npt.NDArray[np.float32] = ((resized.float() - 127.5) / 127.5).numpy()
    return squares


class PeAudioTower(nn.Module):
    """Audio (B, N) to embeddings (B, 1024)."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        classes = _classes()
        encoder = classes.PeAudioEncoder(config.audio_video_config.audio_config)
        self.audio_model = nn.ModuleDict({"audio_encoder": encoder, "audio_head": _head(encoder, config)})

    def forward(self, audio: Tensor) -> tuple[Tensor]:
        """Return the embedding, alone in a tuple."""
        pooled = self.audio_model["audio_encoder"](audio[:, None]).pooler_output
        return (self.audio_model["audio_head"](pooled),)


class PeVideoTower(nn.Module):
    """Frames (B, T, 3, H, W) to embeddings (B, 1024)."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        encoder = _classes().PeVideoEncoder(config.audio_video_config.video_config)
        self.video_model = nn.ModuleDict({"video_encoder": encoder, "video_head": _head(encoder, config)})

    def forward(self, frames: Tensor) -> tuple[Tensor]:
        """Return the embedding, alone in a tuple."""
        pooled = self.video_model["video_encoder"](frames).pooler_output
        return (self.video_model["video_head"](pooled),)


def load_weights(tower: type[nn.Module], path: Path, frame_encoder: PeFrameEncoder = LARGE) -> nn.Module:
    """Return a tower with its part of a published file.

    Args:
        tower: ``PeAudioTower`` or ``PeVideoTower``.
        path: The hub's ``model.safetensors``.
        frame_encoder: The frames' transformer; the same in all published sizes.

    Raises:
        FoleyError: The file does not hold exactly the tensors of the layout, or transformers is not installed.
    """
    state = read_safetensors(path, prefix="audio_model." if tower is PeAudioTower else "video_model.")
    config = config_of({name: tuple(tensor.shape) for name, tensor in state.items()}, path, frame_encoder)
    with _quiet():
        net = with_random_weights(lambda: tower(config))
    own = net.state_dict()
    layout, tied = published_layout(config)
    kept = {name: tensor for name, tensor in state.items() if name not in tied}
    load_strictly(net, kept, path, unused={name: shape for name, shape in layout.items() if name not in own})
    return net


def published_layout(config: Any) -> tuple[dict[str, tuple[int, ...]], set[str]]:
    """Return the shape of every tensor of a published file by name, and the names of the model's tied copies."""
    with _quiet(), torch.device("meta"):
        model = _classes().PeAudioVideoModel(config)
    tied = set(model.all_tied_weights_keys)
    return {name: tuple(t.shape) for name, t in model.state_dict().items() if name not in tied}, tied


def config_of(shapes: Shapes, path: Path, frame_encoder: PeFrameEncoder = LARGE) -> Any:
    """Return the transformers config of the model that a file with these shapes holds.

    Raises:
        FoleyError: A tensor that tells a size is missing; it is named.
    """
    classes = _classes()
    towers = {
        "audio_config": "audio_model.audio_encoder",
        "video_config": "video_model.video_encoder",
        "joint": "audio_video_encoder",
    }
    sizes = {key: _transformer_sizes(shapes, prefix, path) for key, prefix in towers.items()}
    options = dict(frame_encoder.options)
    n_labels = _shape(shapes, "video_model.video_encoder.embedder.proj.weight", path)[1]
    vision = {
        "architecture": frame_encoder.architecture,
        "num_classes": n_labels,
        "global_pool": "map",
        "do_pooling": True,
    }
    sizes["video_config"]["vision_config"] = vision | ({"model_args": options} if options else {})
    words, width = _shape(shapes, "text_model.embeddings.tok_embeddings.weight", path)
    text = {
        "vocab_size": words,
        "hidden_size": width,
        "intermediate_size": _shape(shapes, "text_model.layers.0.mlp.Wi.weight", path)[0] // 2,
        "num_hidden_layers": _depth(shapes, "text_model"),
        "num_attention_heads": max(1, width // 64),
        # The text tower is described, never run.
        **{f"{role}_token_id": 0 for role in ("pad", "bos", "eos", "cls", "sep")},
    }
    joint = sizes.pop("joint") | sizes
    return classes.PeAudioVideoConfig(text_config=text, audio_video_config=joint)


def _transformer_sizes(shapes: Shapes, prefix: str, path: Path) -> dict[str, Any]:
    head = _shape(shapes, f"{prefix}.layers.0.self_attn.q_norm.weight", path)[0]
    return {
        "hidden_size": _shape(shapes, f"{prefix}.norm.weight", path)[0],
        "intermediate_size": _shape(shapes, f"{prefix}.layers.0.mlp.gate_proj.weight", path)[0],
        "num_hidden_layers": _depth(shapes, prefix),
        "num_attention_heads": _shape(shapes, f"{prefix}.layers.0.self_attn.q_proj.weight", path)[0] // head,
        "num_key_value_heads": _shape(shapes, f"{prefix}.layers.0.self_attn.k_proj.weight", path)[0] // head,
        "head_dim": head,
    }


def _depth(shapes: Shapes, prefix: str) -> int:
    found = [re.match(rf"{re.escape(prefix)}\.layers\.(\d+)\.", name) for name in shapes]
    return 1 + max(int(match[1]) for match in found if match)


def _shape(shapes: Shapes, name: str, path: Path) -> tuple[int, ...]:
    if name not in shapes:
        raise FoleyError(f"{path} does not fit: it lacks {name}. Fetch the published file.")
    return shapes[name]


def _head(encoder: nn.Module, config: Any) -> nn.Module:
    from transformers.models.pe_audio.modeling_pe_audio import PeAudioContrastiveHead

    size: Any = encoder.config
    return PeAudioContrastiveHead(size.hidden_size, config.text_config.hidden_size)


def _classes() -> ModuleType:
    return transformers_for("PE-AV")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what transformers prints about its own docstrings when these classes are first made."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
