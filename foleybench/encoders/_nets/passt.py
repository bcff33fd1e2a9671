"""Define PaSST and its log-mel spectrogram, for several encoders.

The net is hear21passt's own class. Its ``get_basic_model`` is not used: that downloads and prints.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.compliance.kaldi import get_mel_banks

from foleybench.api.encoder import Encode, Features, Signal
from foleybench.clips import AudioArray
from foleybench.encoders._inputs.batches import Array, in_batches
from foleybench.encoders._inputs.loading import load_strictly, read_state, with_random_weights
from foleybench.encoders._nets.passt_weights import RATE_HZ

# Of 10 s.
N_FRAMES = 1000


def new_net() -> nn.Module:
    """Return the network with random weights, in evaluation mode."""
    from hear21passt.models import passt as package

    package.first_RUN = False  # else its first forward pass prints
    build: Any = package.PaSST  # its annotations say int where its code wants pairs
    net: Any = with_random_weights(lambda: build(stride=(10, 10), img_size=(128, 998), distilled=True))
    # It was trained on 998 frames and is fed 1000, which give the same 99 patches; without this it warns.
    net.patch_embed.img_size = (128, N_FRAMES)
    found: nn.Module = net
    return found


class MelFrontend:
    """PaSST's log-mel spectrogram, with the filters made once.

    Pre-emphasis 0.97, STFT 1024 with a symmetric Hann window of 800 and hop 320, power, 128 Kaldi mel bands from 0 to
    15 kHz, ``(log(x + 1e-5) + 4.5) / 5``.
    """

    def __init__(self, device: str) -> None:
        banks, _ = get_mel_banks(128, 1024, RATE_HZ, 0.0, 15000.0, 100.0, -500.0, 1.0)
        self._banks = torch.nn.functional.pad(banks, (0, 1)).to(device)
        self._window = torch.hann_window(800, periodic=False, device=device)
        self._emphasis = torch.tensor([[[-0.97, 1.0]]], device=device)

    def __call__(self, audio: Tensor) -> Tensor:
        """Return the spectrogram of a batch, (B, N) to (B, 128, ceil((N - 1) / 320)), in float32 in a draft, too."""
        with torch.autocast(audio.device.type, enabled=False):
            audio = torch.nn.functional.conv1d(audio[:, None], self._emphasis)[:, 0]
            spectrum = torch.stft(audio, 1024, 320, 800, self._window, center=True, return_complex=True)
            power = spectrum.real.square() + spectrum.imag.square()
            mel = (self._banks @ power + 1e-5).log()
        return (mel + 4.5) / 5.0


def load_weights(path: Path) -> nn.Module:
    """Return the network with the weights of an official file.

    Raises:
        FoleyError: The file does not hold exactly the tensors of this architecture.
    """
    net = new_net()
    load_strictly(net, read_state(path, inside="model"), path)
    return net


def fuse_attention(net: Any) -> None:
    """Compute a network's attention in one call, which is faster and changes features in the seventh digit."""
    for block in net.blocks:
        block.attn.forward = functools.partial(_attend, block.attn)


def _attend(attention: Any, x: Tensor) -> Tensor:
    """Return ``attention(x)`` as it is outside training, (B, N, C) to (B, N, C)."""
    query, key, value = attention.qkv(x).unflatten(2, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
    mixed = F.scaled_dot_product_attention(query, key, value, scale=attention.scale)
    projected: Tensor = attention.proj(mixed.transpose(1, 2).flatten(2))
    return projected


def runner(path: Path, device: str) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Return the net with the weights of a file as a function of audio.

    Returns:
        A function (B, N) -> logits (B, 527), embedding (B, 768); N from 4801 samples (one patch) to 320000.
    """
    net: Any = load_weights(path).to(device)
    fuse_attention(net)
    frontend = MelFrontend(device)

    def run(audio: Tensor) -> tuple[Tensor, Tensor]:
        mel = frontend(audio)[:, None]
        net.patch_embed.img_size = tuple(mel.shape[2:])  # it warns of any other size than it expects
        logits, embedding = net(mel)
        return logits, embedding

    return run


def in_parts(
    parts_of: Callable[[AudioArray], list[AudioArray]],
    joined: Callable[[list[Array]], Array],
    path: Path,
    device: str,
) -> Encode:
    """Return the ``encode`` of an encoder that cuts a clip into parts and joins their logits.

    Args:
        parts_of: From the audio (N,) of a clip to its parts.
        joined: From the logits (527,) of a clip's parts to the clip's.
        path: The weights file.
        device: Torch device name.
    """
    run = runner(path, device)

    def encode(signals: Sequence[Signal]) -> list[Features]:
        parts = [parts_of(signal.audio) for signal in signals]
        rows = iter(in_batches([part for group in parts for part in group], run, device))
        return [{"logits": joined([next(rows)[0] for _ in group])} for group in parts]

    return encode
