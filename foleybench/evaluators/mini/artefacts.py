"""Augment audio with vocoder artefacts, so that evaluators judge content.

The artefacts are a round trip through a coarse mel spectrogram and Griffin-Lim, band limits and noise. Only the
training of evaluators uses this module; it shares no code with models.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.signal import butter, sosfilt
from torch import Tensor

from foleybench.clips import AudioArray
from foleybench.encoders._inputs.spectra import mel_of_hz

RATE_HZ = 16000


def vocoded(audio: AudioArray, rng: np.random.Generator) -> AudioArray:
    """Return the audio after a round trip through a mel spectrogram and Griffin-Lim, both of random coarseness.

    Args:
        audio: Shape (N,) at 16 kHz.
        rng: Draws window, hop, number of bands, iterations and how much the spectrogram is smoothed.
    """
    window = int(rng.choice([512, 1024, 1024]))
    hop = window // 4
    bands = _bands(window, int(rng.integers(40, 81)) if window > 512 else 40)
    taper = torch.hann_window(window)
    sound = torch.from_numpy(np.ascontiguousarray(audio))
    magnitude = torch.stft(sound, window, hop, window=taper, return_complex=True).abs()
    mel = bands @ magnitude
    if rng.random() < 0.5:
        mel = _smoothed(mel, rng)
    per_band = mel / bands.sum(dim=1, keepdim=True).clamp_min(1e-6)
    coarse = (bands.T @ per_band) / bands.sum(dim=0)[:, None].clamp_min(0.1)
    phase = torch.from_numpy(rng.uniform(0, 2 * np.pi, coarse.shape).astype(np.float32))
    spectrum = torch.polar(coarse, phase)
    for _ in range(int(rng.integers(3, 13))):
        guess = torch.istft(spectrum, window, hop, window=taper, length=len(audio))
        angle = torch.stft(guess, window, hop, window=taper, return_complex=True)
        spectrum = coarse * angle / angle.abs().clamp_min(1e-8)
    return torch.istft(spectrum, window, hop, window=taper, length=len(audio)).numpy()


def roughened(audio: AudioArray, rng: np.random.Generator) -> AudioArray:
    """Return the audio with some of: a lower or upper band limit, white noise, clipping."""
    out = audio.astype(np.float64)
    if rng.random() < 0.5:
        out = sosfilt(butter(4, rng.uniform(2500, 7500), "lowpass", fs=RATE_HZ, output="sos"), out)
    if rng.random() < 0.3:
        out = sosfilt(butter(2, rng.uniform(40, 300), "highpass", fs=RATE_HZ, output="sos"), out)
    peak = max(float(np.abs(out).max()), 1e-6)
    if rng.random() < 0.8:
        out = out + rng.standard_normal(len(out)) * peak * 10 ** rng.uniform(-4.0, -1.5)
    if rng.random() < 0.2:
        limit = peak * rng.uniform(0.3, 0.9)
        out = np.clip(out, -limit, limit)
    return np.asarray(out, dtype=np.float32)


def _smoothed(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Blur over time and band in the log domain, as nets that regress to the mean do."""
    size = (int(rng.choice([1, 3])), int(rng.choice([1, 3, 5])))
    pad = (size[0] // 2, size[1] // 2)
    level = mel.clamp_min(1e-5).log()
    blurred = torch.nn.functional.avg_pool2d(level[None], size, stride=1, padding=pad, count_include_pad=False)
    return blurred[0].exp()


def _bands(window: int, n_bands: int) -> Tensor:
    hz = np.arange(window // 2 + 1, dtype=np.float64) * (RATE_HZ / window)
    mel = mel_of_hz(hz)
    edges = np.linspace(0.0, mel[-1], n_bands + 2)
    rising = (mel - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - mel) / (edges[2:] - edges[1:-1])[:, None]
    return torch.from_numpy(np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32))
