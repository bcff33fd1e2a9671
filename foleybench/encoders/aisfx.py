"""aiSFX: a network trained on professional libraries of sound effects.

Layers:
    embeddings: (n, 512) float32: one row for each block of 2.3 s, a block every 1.2 s.
    logits: (n, 378) float32: of each block, before the softmax: nine heads side by side (``_nets/aisfx_heads.py``).

44.1 kHz mono, scaled to a peak of 1: loudness does not matter. Power spectrum of 2048 samples every 1024 (symmetric
Hann, centred), 96 triangles on the HTK mel scale from 0 to 22050 Hz, each of unit sum, log10(1 + 10000 x) / 9.4578.
This is the front end that the network was trained on (Essentia's). The package's other front end, librosa's, has
triangles in Hz and swaps mel bands and time; only that front end scales by the peak. Blocks of 100 frames every 50;
frames after the last whole block are left out, as the package does.

Decided here: audio shorter than one block is followed by zeros, which is the spectrum of silence (the package does so
down to 51 frames, below it fails). Audio whose peak lies below -80 dB re full scale is scaled as if it had that peak:
the noise under a silence does not become audio, and silence stays silence.

Sources: Ma and Lerch, "Representation Learning for the Automatic Indexing of Sound Effects Libraries", ISMIR 2022;
package aisfx 0.1.2, inference.py, preprocessing.py, models/cnn2d.py, spectrogram/.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Signal
from foleybench.api.weights import Weights, require
from foleybench.api.wheel import Wheel
from foleybench.clips import AudioArray, FloatArray
from foleybench.encoders._inputs.spectra import MelGrid, mel_triangles
from foleybench.encoders._nets.aisfx_heads import N_LOGITS
from foleybench.media.audio import require_finite

if TYPE_CHECKING:
    from torch import Tensor

GRID = MelGrid(rate_hz=44100, window=2048, hop=1024, n_bands=96, low_hz=0.0, high_hz=22050.0)
LARGEST = 9.457798957824707
LEAST_PEAK = 1e-4
BLOCK, STEP = 100, 50
_SPECTRA_AT_ONCE = 1024


def _read_checkpoint(path: Path) -> Mapping[str, Tensor]:
    from foleybench.encoders._nets.aisfx import read_aisfx_checkpoint

    return read_aisfx_checkpoint(path)


WEIGHTS = Weights(
    filename="aisfx.safetensors",
    url=None,
    sha256="aaade60ccee69d6c3127229ef7817f3b02b8484f2555383eacfe9596e9572b72",
    size_bytes=24_876_480,
    licence="CC-BY-4.0",
    wheel=Wheel(
        project="aisfx",
        version="0.1.2",
        filename="aisfx-0.1.2-py2.py3-none-any.whl",
        sha256="bfe219950715af179e9a1653e7117cc1852baef267cd6596c42cad74afe1d194",
        size_bytes=23_140_952,
        member="aisfx/models/checkpoint.pth",
        licence_member="aisfx-0.1.2.dist-info/licenses/LICENSE",
        attribution=(
            "Alison B. Ma and Alexander Lerch, Representation Learning for the Automatic Indexing of Sound Effects "
            "Libraries, ISMIR 2022, pages 866-875."
        ),
        read=_read_checkpoint,
    ),
)


def spectrum(audio: AudioArray) -> FloatArray:
    """Return what the network reads of audio (N,) at 44.1 kHz: shape (1 + ceil(N / 1024), 96), float64.

    Raises:
        FoleyError: The audio holds a sample that is not finite.
    """
    require_finite(audio)
    peak = max(float(np.abs(audio).max(initial=0.0)), LEAST_PEAK)
    surplus = -len(audio) % GRID.hop  # a started hop has a frame, as in Essentia
    half = GRID.window // 2
    padded = np.pad(audio.astype(np.float64) / peak, (half, half + surplus))
    frames = np.lib.stride_tricks.sliding_window_view(padded, GRID.window)[:: GRID.hop]
    taper, filters = np.hanning(GRID.window), mel_triangles(GRID)
    out = np.empty((len(frames), GRID.n_bands))
    for start in range(0, len(frames), _SPECTRA_AT_ONCE):
        bins = np.fft.rfft(frames[start : start + _SPECTRA_AT_ONCE] * taper, axis=1)
        out[start : start + _SPECTRA_AT_ONCE] = (bins.real**2 + bins.imag**2) @ filters
    return np.asarray(np.log10(1.0 + 1e4 * out) / LARGEST, dtype=np.float64)


def blocks(frames: FloatArray) -> FloatArray:
    """Return a spectrum (T, F) in blocks (n, 100, F), n >= 1; a short one is followed by zeros."""
    if len(frames) < BLOCK:
        return np.pad(frames, ((0, BLOCK - len(frames)), (0, 0)))[None]
    starts = range(0, len(frames) - BLOCK + 1, STEP)
    return np.stack([frames[start : start + BLOCK] for start in starts])


def _prepared(signal: Signal) -> AudioArray:
    return np.asarray(blocks(spectrum(signal.audio)), dtype=np.float32)


def _build(device: str) -> Encode:
    path = require("aisfx", WEIGHTS)
    from foleybench.encoders._inputs.batches import batched
    from foleybench.encoders._nets import aisfx

    net = aisfx.load_aisfx(path).to(device)
    return batched(_prepared, net, device, layers=("embeddings", "logits"))


ENCODER = Encoder(
    version=1,
    rate_hz=GRID.rate_hz,
    layers={"embeddings": (ANY, 512), "logits": (ANY, N_LOGITS)},
    licence="code MIT, weights CC-BY-4.0",
    source="Ma and Lerch, ISMIR 2022; package aisfx 0.1.2",
    weights=WEIGHTS,
    build=_build,
)
