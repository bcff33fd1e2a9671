"""Join spectra of short stretches into those of longer ones.

Sums and products are taken one by one in single precision, in the order of pocketfft in SciPy 1.17 (source of the
order: ``scipy@v1.17.1 pocketfft_hdronly.hxx``, ``radf2`` to ``radf5``). The first bin, and the last of an even length,
have no imaginary part and sums of their own.
"""

from __future__ import annotations

import numpy as np

from foleybench.synthesis.passes import COS_72, COS_120, COS_144, SIN_45, SIN_72, SIN_120, SIN_144, Pass, Spectra
from foleybench.synthesis.portable import Single


def join_spectra(spectra: Spectra, step: Pass) -> Spectra:
    """Return the joined spectra, shape (2, radix * length // 2 + 1, groups), from short ones.

    Args:
        spectra: Shape (2, length // 2 + 1, radix * groups). Imaginary parts that are always 0 are not read.
        step: The pass.
    """
    x = step.laid_out(spectra).reshape(2, step.length // 2 + 1, step.radix, -1)
    out = step.empty(step.radix * step.length // 2 + 1, x.shape[3])
    _FIRST[step.radix](x[0, 0], out[:, :: step.length])
    if step.n_inner:
        _INNER[step.radix](_turned(x[:, 1 : 1 + step.n_inner], step.turns), out, step)
    if step.length % 2 == 0:
        _LAST[step.radix](x[0, -1], out[:, step.length // 2 :: step.length])
    return out


def _turned(x: Single, turns: Single) -> list[Single]:
    """Return the spectra of every group, each but the first turned back: shapes (2, n_inner, groups)."""
    found = [x[:, :, 0]]
    for k in range(1, x.shape[2]):
        cosine, sine = turns[:, :, k - 1]
        z, other = cosine * x[:, :, k], sine * x[:, :, k]
        np.add(z[0], other[1], out=z[0])
        np.subtract(z[1], other[0], out=z[1])
        found.append(z)
    return found


def _both(out: Spectra, step: Pass, q: int, real: tuple[Single, Single], imag: tuple[Single, Single]) -> None:
    """Write the sums of pairs past bin ``q`` times the length, and their differences before it."""
    np.add(*real, out=out[0, step.up(q)])
    np.subtract(*real, out=out[0, step.down(q)])
    np.add(*imag, out=out[1, step.up(q)])
    np.subtract(*imag, out=out[1, step.down(q)])


def _first2(x: Single, out: Spectra) -> None:
    np.add(x[0], x[1], out=out[0, 0])
    np.subtract(x[0], x[1], out=out[0, 1])


def _first3(x: Single, out: Spectra) -> None:
    total = x[1] + x[2]
    np.add(x[0], total, out=out[0, 0])
    np.add(x[0], COS_120 * total, out=out[0, 1])
    np.multiply(SIN_120, x[2] - x[1], out=out[1, 1])


def _first4(x: Single, out: Spectra) -> None:
    odd, even = x[3] + x[1], x[0] + x[2]
    np.add(even, odd, out=out[0, 0])
    np.subtract(x[0], x[2], out=out[0, 1])
    np.subtract(x[3], x[1], out=out[1, 1])
    np.subtract(even, odd, out=out[0, 2])


def _first5(x: Single, out: Spectra) -> None:
    outer, inner = x[4] + x[1], x[3] + x[2]
    turned_outer, turned_inner = x[4] - x[1], x[3] - x[2]
    np.add(x[0] + outer, inner, out=out[0, 0])
    np.add(x[0] + COS_72 * outer, COS_144 * inner, out=out[0, 1])
    np.add(SIN_72 * turned_outer, SIN_144 * turned_inner, out=out[1, 1])
    np.add(x[0] + COS_144 * outer, COS_72 * inner, out=out[0, 2])
    np.subtract(SIN_144 * turned_outer, SIN_72 * turned_inner, out=out[1, 2])


def _last2(x: Single, out: Spectra) -> None:
    out[0, 0] = x[0]
    np.negative(x[1], out=out[1, 0])


def _last4(x: Single, out: Spectra) -> None:
    imag, real = -SIN_45 * (x[1] + x[3]), SIN_45 * (x[1] - x[3])
    np.add(x[0], real, out=out[0, 0])
    np.subtract(x[0], real, out=out[0, 1])
    np.subtract(imag, x[2], out=out[1, 0])
    np.add(imag, x[2], out=out[1, 1])


def _inner2(z: list[Single], out: Spectra, step: Pass) -> None:
    np.add(z[0], z[1], out=out[:, step.up(0)])
    np.subtract(z[0][0], z[1][0], out=out[0, step.down(1)])
    np.subtract(z[1][1], z[0][1], out=out[1, step.down(1)])


def _inner3(z: list[Single], out: Spectra, step: Pass) -> None:
    total = z[1] + z[2]
    np.add(z[0], total, out=out[:, step.up(0)])
    base = z[0] + COS_120 * total
    real, imag = SIN_120 * (z[1][1] - z[2][1]), SIN_120 * (z[2][0] - z[1][0])
    _both(out, step, 1, (base[0], real), (imag, base[1]))


def _inner4(z: list[Single], out: Spectra, step: Pass) -> None:
    odd, even, base = z[3] + z[1], z[0] + z[2], z[0] - z[2]
    np.add(even, odd, out=out[:, step.up(0)])
    np.subtract(even[0], odd[0], out=out[0, step.down(2)])
    np.subtract(odd[1], even[1], out=out[1, step.down(2)])
    _both(out, step, 1, (base[0], z[1][1] - z[3][1]), (z[3][0] - z[1][0], base[1]))


def _inner5(z: list[Single], out: Spectra, step: Pass) -> None:
    outer, inner = z[1] + z[4], z[2] + z[3]
    np.add(z[0] + outer, inner, out=out[:, step.up(0)])
    base1 = z[0] + COS_72 * outer + COS_144 * inner
    base2 = z[0] + COS_144 * outer + COS_72 * inner
    # Turned by a quarter: a difference's imaginary part takes the place of the real one.
    outer_real, outer_imag = z[1][1] - z[4][1], z[4][0] - z[1][0]
    inner_real, inner_imag = z[2][1] - z[3][1], z[3][0] - z[2][0]
    real1, imag1 = SIN_72 * outer_real + SIN_144 * inner_real, SIN_72 * outer_imag + SIN_144 * inner_imag
    real2, imag2 = SIN_144 * outer_real - SIN_72 * inner_real, SIN_144 * outer_imag - SIN_72 * inner_imag
    _both(out, step, 1, (base1[0], real1), (imag1, base1[1]))
    _both(out, step, 2, (base2[0], real2), (imag2, base2[1]))


_FIRST = {2: _first2, 3: _first3, 4: _first4, 5: _first5}
_INNER = {2: _inner2, 3: _inner3, 4: _inner4, 5: _inner5}
# Odd factors come after the even ones, so their lengths are odd.
_LAST = {2: _last2, 4: _last4}
