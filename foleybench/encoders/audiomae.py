"""AudioMAE ViT-B, trained on AudioSet. For models, not for scores.

Layers:
    tokens: (T, 768) float32: mean over frequency of the patches of 160 ms, 6.25 a second.

Kaldi filterbank (16 kHz, 25 ms Hanning window every 10 ms, 128 bands, no dither) less -4.2677393, over 2 * 4.5689974,
in chunks of 1024 frames (10.24 s); the last chunk is completed with zeros and cut again. Chunks are independent.

AudioMAE's training set holds clips of AudioSet, which shares videos with VGGSound's test split.

Sources: Huang et al., "Masked autoencoders that listen", NeurIPS 2022; facebookresearch/AudioMAE (its readme says
CC-BY, its licence file CC-BY-NC); timm hub ``gaunernst/vit_base_patch16_1024_128.audiomae_as2m``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import Weights, require
from foleybench.clips import AudioArray

if TYPE_CHECKING:
    import torch
    from torch import nn

RATE_HZ = 16000
N_FRAMES = 1024
N_BANDS = 128
PATCH = 16
DIM = 768
_MEAN, _SPREAD = -4.2677393, 2 * 4.5689974
_HOP = 160

WEIGHTS = Weights(
    filename="vit_base_patch16_1024_128.audiomae_as2m.safetensors",
    url="https://huggingface.co/gaunernst/vit_base_patch16_1024_128.audiomae_as2m/resolve/main/model.safetensors",
    sha256=None,
    size_bytes=None,
    licence="CC-BY-NC-4.0",
)


def new_net(**smaller: Any) -> nn.Module:
    """Return the network with random weights, in evaluation mode.

    Args:
        smaller: Options that make the same class small enough for a test (``depth``, ``embed_dim``, ``num_heads``).
    """
    import timm

    from foleybench.encoders._inputs.loading import with_random_weights

    options = {"img_size": (N_FRAMES, N_BANDS), "in_chans": 1, "num_classes": 0, **smaller}
    return with_random_weights(lambda: timm.create_model("vit_base_patch16_224", pretrained=False, **options), seed=0)


def load_weights(path: Path, **smaller: Any) -> nn.Module:
    """Return the network with the weights of a file.

    Raises:
        FoleyError: The file does not hold exactly the tensors of this architecture.
    """
    from foleybench.encoders._inputs.loading import load_strictly, read_safetensors

    net = new_net(**smaller)
    load_strictly(net, read_safetensors(path), path)
    return net


def filterbank(audio: AudioArray) -> torch.Tensor:
    """Return the net's input for audio, normalised, (n_frames, 128), one frame at least.

    Args:
        audio: Shape (N,) at 16 kHz.
    """
    import torch
    from torchaudio.compliance import kaldi

    wave = torch.from_numpy(np.ascontiguousarray(audio, dtype=np.float32))[None]
    if wave.shape[1] < 400:
        wave = torch.nn.functional.pad(wave, (0, 400 - wave.shape[1]))
    with torch.autocast("cpu", enabled=False):
        bands: torch.Tensor = kaldi.fbank(
            wave - wave.mean(), htk_compat=True, sample_frequency=RATE_HZ, use_energy=False, window_type="hanning",
            num_mel_bins=N_BANDS, dither=0.0, frame_shift=10,
        )  # fmt: skip
    return (bands - _MEAN) / _SPREAD


def encode_with(net: nn.Module, device: str) -> Encode:
    """Return the encoder's function for a net."""
    import torch

    net = net.to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        bands = filterbank(signal.audio)
        n_tokens = max(1, -(-len(signal.audio) // (PATCH * _HOP)))
        n_chunks = -(-len(bands) // N_FRAMES)
        padded = torch.nn.functional.pad(bands, (0, 0, 0, n_chunks * N_FRAMES - len(bands)))
        parts = []
        for chunk in padded.reshape(n_chunks, 1, 1, N_FRAMES, N_BANDS):
            tokens = net.forward_features(chunk.to(device))[0, 1:]  # type: ignore[operator]
            parts.append(tokens.reshape(N_FRAMES // PATCH, N_BANDS // PATCH, -1).mean(1).float().cpu())
        return {"tokens": torch.cat(parts)[:n_tokens].numpy()}

    return one_by_one(encode_one)


def _untrained(device: str) -> Encode:
    """Return the encoder with random weights: to try sizes and memory."""
    return encode_with(new_net(), device)


def _build(device: str) -> Encode:
    return encode_with(load_weights(require("audiomae", WEIGHTS)), device)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"tokens": (ANY, DIM)},
    licence="CC-BY-NC-4.0",
    source="facebookresearch/AudioMAE",
    weights=WEIGHTS,
    build=_build,
    untrained=_untrained,
)
