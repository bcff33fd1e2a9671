"""Split a real Fourier transform into passes, one per factor.

Which bits a transform gives depends on the order of its factors and on how cosines and sines are rounded. Both are
those of pocketfft in SciPy 1.17, by which the published corpus was rendered (source of the order:
``scipy@v1.17.1 pocketfft_hdronly.hxx``, ``rfftp`` and ``sincos_2pibyn``).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from foleybench.synthesis.portable import Single

# Spectra of real numbers, without the mirrored half: real (0) and imaginary (1) parts, bins, spectra.
Spectra = npt.NDArray[np.float32]
SIN_45 = np.float32(0.7071067811865476)
COS_120, SIN_120 = np.float32(-0.5), np.float32(0.8660254037844386)
COS_72, SIN_72 = np.float32(0.30901699437494745), np.float32(0.9510565162951535)
COS_144, SIN_144 = np.float32(-0.8090169943749475), np.float32(0.5877852522924731)
_PI = Fraction(3141592653589793238462643383279502884197, 10**39)
# A split has one length of clip; its rooms and noises have a few dozen. A length of 64,000 takes 255,856 bytes.
_KEPT = 64


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """Groups of ``radix`` spectra of ``length`` samples, each group joined into one (forward) or parted (inverse).

    Attributes:
        radix: 2, 3, 4 or 5; an odd one has only odd ones after it.
        length: Samples that each of the short spectra stands for.
        groups: Number of groups.
        turns: Cosines and sines of the angles by which bins 1 to ``n_inner`` are turned, of all spectra of a group but
            the first: shape (2, n_inner, radix - 1, 1).
    """

    radix: int
    length: int
    groups: int
    turns: Single

    @property
    def n_inner(self) -> int:
        """Number of bins with an imaginary part."""
        return (self.length - 1) // 2

    def up(self, q: int) -> slice:
        """Return where the joined spectrum has bins 1, 2 ... past ``q`` times the length."""
        return slice(q * self.length + 1, q * self.length + 1 + self.n_inner)

    def down(self, q: int) -> slice:
        """Return where the joined spectrum has bins 1, 2 ... before ``q`` times the length, ``q`` at least 1."""
        return slice(q * self.length - 1, q * self.length - 1 - self.n_inner, -1)

    def empty(self, n_bins: int, n_spectra: int) -> Spectra:
        """Return an array for spectra, its longer axis inside."""
        if self.length > self.groups:
            return np.empty((2, n_spectra, n_bins), dtype=np.float32).transpose(0, 2, 1)
        return np.empty((2, n_bins, n_spectra), dtype=np.float32)

    def laid_out(self, spectra: Spectra) -> Spectra:
        """Return spectra, copied where their longer axis is not inside."""
        if self.length > self.groups:
            return np.ascontiguousarray(spectra.transpose(0, 2, 1)).transpose(0, 2, 1)
        return np.ascontiguousarray(spectra)


@functools.lru_cache(maxsize=_KEPT)
def passes(size: int) -> tuple[Pass, ...]:
    """Return the passes of a length 2^a 3^b 5^c, in the order of the inverse transform.

    Raises:
        ValueError: The length has another prime factor.
    """
    found, groups = [], 1
    radices = factors(size)
    circle = _circle(size) if size > 1 else np.empty((2, 1), dtype=np.float32)
    for radix in radices:
        length = size // (groups * radix)
        spectra, bins = np.ogrid[1:radix, 1 : (length + 1) // 2]
        turns = circle[:, spectra * bins * groups].transpose(0, 2, 1)[:, :, :, None]
        found.append(Pass(radix=radix, length=length, groups=groups, turns=turns))
        groups *= radix
    return tuple(found)


def factors(size: int) -> list[int]:
    """Return the factors in the order of their passes: at most one 2, then 4, 3 and 5.

    Raises:
        ValueError: The length has a prime factor above 5, or is not positive.
    """
    powers, left = {}, size
    for prime in (2, 3, 5):
        powers[prime] = 0
        while left > 0 and left % prime == 0:
            powers[prime] += 1
            left //= prime
    if left != 1:
        raise ValueError(f"transforms take lengths 2^a 3^b 5^c, got {size}: take fast_length({max(size, 1)})")
    return [2] * (powers[2] % 2) + [4] * (powers[2] // 2) + [3] * powers[3] + [5] * powers[5]


def _circle(size: int) -> Single:
    """Return cosines and sines of 0, 1 ... ``size - 1`` parts of the circle in ``size`` parts, shape (2, size).

    Half of it is products of two short lists in double precision, the rest is mirrored.
    """
    n_half = (size + 2) // 2
    shift = 1
    while 4**shift < n_half:
        shift += 1
    fine, coarse = _points(range(1 << shift), size), _points(range(0, n_half, 1 << shift), size)
    part = np.arange(size // 2 + 1)
    x, y = fine[:, part % (1 << shift)], coarse[:, part >> shift]
    half = np.stack((x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0])).astype(np.float32)
    mirrored = half[:, (size - 1) // 2 : 0 : -1]
    return np.concatenate((half, np.stack((mirrored[0], -mirrored[1]))), axis=1)


def _points(parts: range, size: int) -> npt.NDArray[np.float64]:
    """Return cosines and sines of parts up to half the circle, taken from angles of at most an eighth of it."""
    angle = float(_PI / (4 * size))
    found = []
    for part in parts:
        quarter, past = divmod(8 * part, 2 * size)
        near = min(past, 2 * size - past)
        cosine, sine = math.cos(near * angle), math.sin(near * angle)
        if past >= size:
            cosine, sine = sine, cosine
        found.append([(cosine, sine), (-sine, cosine), (-cosine, -sine)][quarter])
    return np.array(found, dtype=np.float64).T
