"""Compute real Fourier transforms with the same bits everywhere.

The published corpus holds the bits of SciPy 1.17's transforms in single precision. SciPy 1.18 and NumPy sum in other
orders, so their last bits differ. The older order is repeated here by additions and multiplications of NumPy, which
every processor rounds alike.

One transform is still NumPy's: the wave of a harmonic tone (``noise.wave``) is made in double precision and then
rounded to single, so another order of sums reaches a clip only where a point is almost equally near two single ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray
from foleybench.synthesis.forward_passes import join_spectra
from foleybench.synthesis.inverse_passes import part_spectra
from foleybench.synthesis.passes import passes

Spectrum = npt.NDArray[np.complex64]


def fast_length(n_samples: int) -> int:
    """Return the smallest length 2^a 3^b 5^c not below ``n_samples``.

    Raises:
        ValueError: There are no samples.
    """
    if n_samples < 1:
        raise ValueError(f"a transform takes at least 1 sample, got {n_samples}")
    found = 1 << (n_samples - 1).bit_length()
    odd_fives = 1
    while odd_fives < found:
        odd = odd_fives
        while odd < found:
            found = min(found, odd << (-(-n_samples // odd) - 1).bit_length())
            odd *= 3
        odd_fives *= 5
    return found


def forward(samples: AudioArray, size: int) -> Spectrum:
    """Return the spectrum of real samples.

    Args:
        samples: Shape (n,), single precision, at most ``size`` of them.
        size: Length 2^a 3^b 5^c; the samples are padded with zeros to it.

    Returns:
        Shape (size // 2 + 1,).

    Raises:
        ValueError: The length has another prime factor, or there are more samples than that.
    """
    steps = passes(size)
    if len(samples) > size:
        raise ValueError(f"a transform of length {size} takes at most {size} samples, got {len(samples)}")
    spectra = np.zeros((2, 1, size), dtype=np.float32)
    spectra[0, 0, : len(samples)] = samples
    for step in reversed(steps):
        spectra = join_spectra(spectra, step)
    out = np.empty(size // 2 + 1, dtype=np.complex64)
    out.real, out.imag = spectra[:, :, 0]
    out.imag[0] = 0.0
    if size % 2 == 0:
        out.imag[-1] = 0.0
    return out


def inverse(spectrum: Spectrum, size: int) -> AudioArray:
    """Return the real samples of a spectrum; imaginary parts of the first bin and that at half the rate do not count.

    Args:
        spectrum: Shape (size // 2 + 1,), single precision.
        size: Length 2^a 3^b 5^c.

    Returns:
        Shape (size,).

    Raises:
        ValueError: The length has another prime factor, or the spectrum is not of that length.
    """
    steps = passes(size)
    if len(spectrum) != size // 2 + 1:
        raise ValueError(f"a spectrum of {size} samples has {size // 2 + 1} bins, got {len(spectrum)}")
    spectra = np.stack((spectrum.real, spectrum.imag))[:, :, None]
    for step in steps:
        spectra = part_spectra(spectra, step)
    return np.asarray(spectra[0, 0] * np.float32(1.0 / size), dtype=np.float32)


def frequencies(size: int, rate_hz: int) -> AudioArray:
    """Return the frequency of each bin in Hz, shape (size // 2 + 1,)."""
    return np.arange(size // 2 + 1, dtype=np.float32) * np.float32(rate_hz / size)
