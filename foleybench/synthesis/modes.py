"""Synthesise banks of decaying sinusoids.

A decaying sinusoid is the real part of ``g * z**n``; with n = 128 a + b it is ``(g * z**(128 a)) * z**b``, so a bank of
K modes over N samples is one product of an (N / 128, 2K) by a (2K, 128) matrix instead of N K exponentials.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray, FloatArray
from foleybench.synthesis.product import product

_BLOCK = 128
# Samples of the fade at the end of a sound, which are also its least length.
SHORTEST = 64


def bank(
    freq_hz: npt.NDArray[np.float64],
    decay_s: npt.NDArray[np.float64],
    gain: npt.NDArray[np.float64],
    *,
    n_samples: int,
    rate_hz: int,
    rng: np.random.Generator,
) -> AudioArray:
    """Return sums of decaying sinusoids with random phases.

    Args:
        freq_hz: Frequencies, shape (E, K): E sounds of K modes. Modes above 0.45 of the rate are left out.
        decay_s: Time to fall to 1/e, same shape.
        gain: Amplitudes, same shape.
        n_samples: Length of each sound.
        rate_hz: Sample rate.
        rng: Draws the phases.

    Returns:
        Shape (E, n_samples), float32, faded at the end.
    """
    heard = np.where(freq_hz < 0.45 * rate_hz, gain, 0.0)
    phase = rng.uniform(0.0, 2 * np.pi, freq_hz.shape)
    step = (-1.0 / (decay_s * rate_hz) + 2j * np.pi * freq_hz / rate_hz)[:, :, None]
    n_blocks = -(-n_samples // _BLOCK)
    # Reduced to float32 only after the phase is wrapped, or late blocks would drift.
    exact = np.exp(step * (np.arange(n_blocks) * _BLOCK) + 1j * phase[:, :, None]) * heard[:, :, None]
    inner = np.exp(step * np.arange(_BLOCK)).astype(np.complex64)
    blocks = exact.astype(np.complex64).transpose(0, 2, 1)
    left = np.concatenate([blocks.real, -blocks.imag], axis=2)
    right = np.concatenate([inner.real, inner.imag], axis=1)
    out = product(left, right).reshape(len(freq_hz), -1)[:, :n_samples]
    fade = min(SHORTEST, n_samples)
    out[:, n_samples - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return np.ascontiguousarray(out, dtype=np.float32)


def lay(pieces: AudioArray, onsets_s: FloatArray, *, n_samples: int, rate_hz: int) -> AudioArray:
    """Add sounds up, each from its onset (rounded to the nearest sample), and cut at the end.

    Args:
        pieces: Shape (E, n).
        onsets_s: Shape (E,).
        n_samples: Length of the result.
        rate_hz: Sample rate.
    """
    out = np.zeros(n_samples, dtype=np.float32)
    for piece, start in zip(pieces, np.round(onsets_s * rate_hz).astype(np.int64).tolist(), strict=True):
        room = n_samples - start
        if room > 0:
            out[start : start + len(piece)] += piece[:room]
    return out
