"""VGGish, the network behind the original Fréchet Audio Distance, in the layout of torchvggish.

Layers:
    frames: (T, 128) float32: one embedding per 0.96 s without overlap, before the last ReLU, no PCA. A last patch that
        is not full is dropped, as everybody does; a sound shorter than 15600 samples (0.975 s) has T = 0.

16 kHz mono, mean (DC) of the clip removed, as av-benchmark and audioldm_eval do; the spectrogram in float64, bit by bit
that of torchvggish after its cast to float32.

Sources: Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017;
harritaylor/torchvggish@f3f9096; hkchengrex/av-benchmark@050a5cd av_bench/vggish/vggish.py.
Changes: 1 first version.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import Weights, require
from foleybench.clips import AudioArray, FloatArray
from foleybench.media.audio import require_finite

if TYPE_CHECKING:
    import torch
    from torch import nn

RATE_HZ = 16000
WINDOW, HOP, N_FFT = 400, 160, 512
N_BANDS, LOW_HZ, HIGH_HZ = 64, 125.0, 7500.0
PATCH = 96
MIN_SAMPLES = WINDOW + (PATCH - 1) * HOP
_CHANNELS = (1, 64, 128, 256, 256, 512, 512)
_POOL_AFTER = (0, 1, 3, 5)

WEIGHTS = Weights(
    filename="vggish-10086976.pth",
    url="https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth",
    sha256="10086976",
    size_bytes=None,
    licence="Apache-2.0",
    n_values=72_141_184,
)


def log_mel_patches(audio: npt.NDArray[Any]) -> FloatArray:
    """Return the patches that the net is fed.

    Args:
        audio: Shape (N,) at 16 kHz.

    Returns:
        Shape (T, 96, 64), float64: ``log(mel + 0.01)`` of magnitudes in 64 HTK mel bands.
    """
    n_frames = 1 + (len(audio) - WINDOW) // HOP if len(audio) >= MIN_SAMPLES else 0
    n_patches = n_frames // PATCH
    if not n_patches:
        return np.zeros((0, PATCH, N_BANDS))
    samples = np.asarray(audio, dtype=np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP][: n_patches * PATCH]
    magnitude = np.abs(np.fft.rfft(frames * _window(), N_FFT))
    return np.log(magnitude @ _bands() + 0.01).reshape(n_patches, PATCH, N_BANDS)


@functools.cache
def _window() -> FloatArray:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi / WINDOW * np.arange(WINDOW)), dtype=np.float64)


@functools.cache
def _bands() -> FloatArray:
    """Triangles of unit peak, straight in mel, shape (257, 64); the constant bin belongs to none."""
    mel = 1127.0 * np.log(1.0 + np.linspace(0.0, RATE_HZ / 2, N_FFT // 2 + 1) / 700.0)
    low, high = 1127.0 * np.log(1.0 + np.array([LOW_HZ, HIGH_HZ]) / 700.0)
    edges = np.linspace(low, high, N_BANDS + 2)
    rising = (mel[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mel[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return np.asarray(weights, dtype=np.float64)


def new_net() -> nn.Module:
    """Return the network with random weights, its parameters named as in the official file."""
    import torch
    from torch import nn

    class Vggish(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layers: list[nn.Module] = []
            for index, (before, after) in enumerate(itertools.pairwise(_CHANNELS)):
                layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
                layers += [nn.MaxPool2d(2)] if index in _POOL_AFTER else []
            self.features = nn.Sequential(*layers)
            self.embeddings = nn.Sequential(
                *(nn.Linear(512 * 24, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 128))
            )

        def forward(self, patches: torch.Tensor) -> torch.Tensor:
            maps = self.features(laid_out(patches[:, None])).to_dense()
            found: torch.Tensor = self.embeddings(maps.permute(0, 2, 3, 1).flatten(1))
            return found

    with torch.random.fork_rng(devices=[]):
        return Vggish().eval()


def laid_out(patches: torch.Tensor) -> torch.Tensor:
    """Return the patches in oneDNN's own layout on a CPU, which its convolutions then keep from layer to layer.

    They take this layout in any case; not going back after each one (and writing over what goes into a ReLU) saves a
    third of the time and changes no bit.
    """
    import torch

    there: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return patches.to_mkldnn() if there and patches.device.type == "cpu" and not torch.is_grad_enabled() else patches


def load(path: Path) -> nn.Module:
    """Return the network with the weights of an official file.

    Raises:
        FoleyError: The file does not hold exactly the tensors of this architecture.
    """
    from foleybench.encoders._inputs.loading import load_strictly, read_state

    net = new_net()
    load_strictly(net, read_state(path), path)
    for name, parameter in net.named_parameters():
        # Convolutions in oneDNN's layout read weights as if they lay in order, also those of a file that do not.
        if name.startswith("features."):
            parameter.data = parameter.data.contiguous()
    return net


def encode_with(net: nn.Module, patches_of: Callable[[AudioArray], FloatArray], device: str) -> Encode:
    """Return the ``encode`` of an encoder that feeds this net.

    Args:
        net: The network.
        patches_of: From a sound (N,) to its patches (T, 96, 64).
        device: Torch device name.
    """
    import torch

    net = net.to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        patches = patches_of(signal.audio).astype(np.float32)
        if not len(patches):
            return {"frames": np.zeros((0, 128), dtype=np.float32)}
        return {"frames": net(torch.from_numpy(patches).to(device)).cpu().numpy()}

    # The ten or so patches of one sound fill a batch.
    return one_by_one(encode_one)


def _patches_without_dc(audio: AudioArray) -> FloatArray:
    require_finite(audio)
    samples = audio.astype(np.float64)
    return log_mel_patches(samples - samples.mean() if len(samples) else samples)


def _build(device: str) -> Encode:
    return encode_with(load(require("vggish", WEIGHTS)), _patches_without_dc, device)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"frames": (ANY, 128)},
    licence="Apache-2.0",
    source="harritaylor/torchvggish@f3f9096",
    weights=WEIGHTS,
    build=_build,
)
