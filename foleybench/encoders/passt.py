"""PaSST, the AudioSet transformer behind KL_PaSST and FD_PaSST (``passt_s_swa_p16_128_ap476``).

Layers:
    logits: (527,) float32: before softmax or sigmoid, classes of AudioSet.
    embedding: (768,) float32: mean of the class and the distillation token.

The input is what av-benchmark feeds: 32 kHz mono, its mean (DC) removed, cut or zero-padded to exactly 10 s. The mean
is removed here, after the resampling, where av-benchmark removes it before: resampling keeps a constant, so the two
differ only within the filter's width of the clip's ends.
The net is hear21passt's own class. Its ``get_basic_model`` is not used: that downloads and prints. On a CPU sounds go
through one by one, so batching cannot change a bit; on a GPU in batches of a fixed shape.

Sources: Koutini et al., "Efficient Training of Audio Transformers with Patchout", Interspeech 2022;
kkoutini/passt_hear21@5f1cce6; hkchengrex/av-benchmark@050a5cd av_bench/extract.py.
Changes: 1 first version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foleybench.api.encoder import Encode, Encoder, Features, Signal
from foleybench.api.weights import Weights, require
from foleybench.encoders._inputs.spectra import without_dc
from foleybench.media.audio import fit_length

if TYPE_CHECKING:
    from torch import Tensor, nn

RATE_HZ = 32000
N_SAMPLES = 10 * RATE_HZ
N_FRAMES = 1000

WEIGHTS = Weights(
    filename="passt-s-f128-p16-s10-ap.476-swa.pt",
    url="https://github.com/kkoutini/PaSST/releases/download/v0.0.1-audioset/passt-s-f128-p16-s10-ap.476-swa.pt",
    sha256=None,
    size_bytes=None,
    licence="Apache-2.0",
    n_values=86_153_758,
)


def new_net() -> nn.Module:
    """Return the network with random weights, in evaluation mode; torch's global random state is left as it was."""
    import torch
    from hear21passt.models import passt as package

    package.first_RUN = False  # else its first forward pass prints
    with torch.random.fork_rng(devices=[]):
        build: Any = package.PaSST  # its annotations say int where its code wants pairs
        net: Any = build(stride=(10, 10), img_size=(128, 998), distilled=True)
    # It was trained on 998 frames and is fed 1000, which give the same 99 patches; without this it warns.
    net.patch_embed.img_size = (128, N_FRAMES)
    evaluated: nn.Module = net.eval()
    return evaluated


class MelFrontend:
    """PaSST's log-mel spectrogram, with the filters made once.

    Pre-emphasis 0.97, STFT 1024 with a symmetric Hann window of 800 and hop 320, power, 128 Kaldi mel bands from 0 to
    15 kHz, ``(log(x + 1e-5) + 4.5) / 5``.
    """

    def __init__(self, device: str) -> None:
        import torch
        from torchaudio.compliance.kaldi import get_mel_banks

        banks, _ = get_mel_banks(128, 1024, RATE_HZ, 0.0, 15000.0, 100.0, -500.0, 1.0)
        self._banks = torch.nn.functional.pad(banks, (0, 1)).to(device)
        self._window = torch.hann_window(800, periodic=False, device=device)
        self._emphasis = torch.tensor([[[-0.97, 1.0]]], device=device)

    def __call__(self, audio: Tensor) -> Tensor:
        """Return the spectrogram of a batch, (B, N) to (B, 128, ceil((N - 1) / 320))."""
        import torch

        audio = torch.nn.functional.conv1d(audio[:, None], self._emphasis)[:, 0]
        spectrum = torch.stft(audio, 1024, 320, 800, self._window, center=True, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        mel = (self._banks @ power + 1e-5).log()
        return (mel + 4.5) / 5.0


def load(path: Path) -> nn.Module:
    """Return the network with the weights of an official file.

    Raises:
        FoleyError: The file does not hold exactly the tensors of this architecture.
    """
    from foleybench.encoders._inputs.loading import load_strictly, read_state

    net = new_net()
    load_strictly(net, read_state(path, inside="model"), path)
    return net


def prepared(signal: Signal) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the 320000 samples that the net is fed: mean removed, then cut or zero-padded."""
    return fit_length(without_dc(signal.audio), N_SAMPLES)


def runner(path: Path, device: str) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Return the net with the weights of a file as a function of sounds.

    Returns:
        A function (B, N) -> logits (B, 527), embedding (B, 768); N from 4801 samples (one patch) to 320000.
    """
    net: Any = load(path).to(device)
    frontend = MelFrontend(device)

    def run(sounds: Tensor) -> tuple[Tensor, Tensor]:
        mel = frontend(sounds)[:, None]
        net.patch_embed.img_size = tuple(mel.shape[2:])  # it warns of any other size than it expects
        logits, embedding = net(mel)
        return logits, embedding

    return run


def _build(device: str) -> Encode:
    run = runner(require("passt", WEIGHTS), device)
    from foleybench.encoders._inputs.batches import in_batches

    def encode(signals: Sequence[Signal]) -> list[Features]:
        rows = in_batches([prepared(signal) for signal in signals], run, device)
        return [{"logits": logits, "embedding": embedding} for logits, embedding in rows]

    return encode


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"logits": (527,), "embedding": (768,)},
    licence="Apache-2.0",
    source="kkoutini/passt_hear21@5f1cce6 (hear21passt 0.0.26)",
    weights=WEIGHTS,
    build=_build,
)
