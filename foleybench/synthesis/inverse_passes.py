"""Part spectra of long stretches into those of shorter ones.

Sums and products are taken one by one in single precision, in the order of pocketfft in SciPy 1.17 (source of the
order: ``scipy@v1.17.1 pocketfft_hdronly.hxx``, ``radb2`` to ``radb5``). The first bin, and the last of an even length,
have no imaginary part and sums of their own.
"""

from __future__ import annotations

import numpy as np

from foleybench.synthesis.passes import COS_72, COS_120, COS_144, SIN_72, SIN_120, SIN_144, Pass, Spectra
from foleybench.synthesis.portable import Single

_TWO = np.float32(2.0)
_ROOT_2 = np.float32(1.4142135623730951)


def part_spectra(spectra: Spectra, step: Pass) -> Spectra:
    """Return the parted spectra, shape (2, length // 2 + 1, radix * groups), from long ones.

    Args:
        spectra: Shape (2, radix * length // 2 + 1, groups). Imaginary parts that are always 0 are not read.
        step: The pass.
    """
    y = step.laid_out(spectra)
    out = step.empty(step.length // 2 + 1, step.radix * y.shape[2])
    x = out.reshape(2, step.length // 2 + 1, step.radix, -1)
    _FIRST[step.radix](y[:, :: step.length], x[0, 0])
    if step.n_inner:
        inner = x[:, 1 : 1 + step.n_inner]
        _INNER[step.radix](y, inner, step)
        _turn(inner[:, :, 1:], step.turns)
    if step.length % 2 == 0:
        _LAST[step.radix](y[:, step.length // 2 :: step.length], x[0, -1])
    return out


def _turn(x: Single, turns: Single) -> None:
    """Turn the spectra of every group but the first, in place."""
    for k in range(x.shape[2]):
        cosine, sine = turns[:, :, k]
        z, other = cosine * x[:, :, k], sine * x[:, :, k]
        np.subtract(z[0], other[1], out=x[0, :, k])
        np.add(z[1], other[0], out=x[1, :, k])


def _first2(y: Spectra, x: Single) -> None:
    np.add(y[0, 0], y[0, 1], out=x[0])
    np.subtract(y[0, 0], y[0, 1], out=x[1])


def _first3(y: Spectra, x: Single) -> None:
    double = _TWO * y[0, 1]
    base, turned = y[0, 0] + COS_120 * double, _TWO * SIN_120 * y[1, 1]
    np.add(y[0, 0], double, out=x[0])
    np.subtract(base, turned, out=x[1])
    np.add(base, turned, out=x[2])


def _first4(y: Spectra, x: Single) -> None:
    total, difference = y[0, 0] + y[0, 2], y[0, 0] - y[0, 2]
    real, imag = _TWO * y[0, 1], _TWO * y[1, 1]
    np.add(total, real, out=x[0])
    np.subtract(difference, imag, out=x[1])
    np.subtract(total, real, out=x[2])
    np.add(difference, imag, out=x[3])


def _first5(y: Spectra, x: Single) -> None:
    (real1, real2), (imag1, imag2) = _TWO * y[:, 1:]
    np.add(y[0, 0] + real1, real2, out=x[0])
    (base1, base2), (turned1, turned2) = _cosines(y[0, 0], real1, real2), _sines(imag1, imag2)
    np.subtract(base1, turned1, out=x[1])
    np.subtract(base2, turned2, out=x[2])
    np.add(base2, turned2, out=x[3])
    np.add(base1, turned1, out=x[4])


def _last2(y: Spectra, x: Single) -> None:
    np.multiply(_TWO, y[0, 0], out=x[0])
    np.multiply(-_TWO, y[1, 0], out=x[1])


def _last4(y: Spectra, x: Single) -> None:
    imag, turned = y[1, 1] + y[1, 0], y[1, 1] - y[1, 0]
    real, difference = y[0, 0] + y[0, 1], y[0, 0] - y[0, 1]
    np.add(real, real, out=x[0])
    np.multiply(_ROOT_2, difference - imag, out=x[1])
    np.add(turned, turned, out=x[2])
    np.multiply(-_ROOT_2, difference + imag, out=x[3])


def _inner2(y: Spectra, x: Single, step: Pass) -> None:
    up, down = y[:, step.up(0)], y[:, step.down(1)]
    np.add(up[0], down[0], out=x[0, :, 0])
    np.subtract(up[1], down[1], out=x[1, :, 0])
    np.subtract(up[0], down[0], out=x[0, :, 1])
    np.add(up[1], down[1], out=x[1, :, 1])


def _inner3(y: Spectra, x: Single, step: Pass) -> None:
    base, up, down = y[:, step.up(0)], y[:, step.up(1)], y[:, step.down(1)]
    real, imag = up[0] + down[0], up[1] - down[1]
    np.add(base[0], real, out=x[0, :, 0])
    np.add(base[1], imag, out=x[1, :, 0])
    turned = SIN_120 * (up[1] + down[1]), SIN_120 * (up[0] - down[0])
    _both(x, 1, 2, (base[0] + COS_120 * real, base[1] + COS_120 * imag), turned)


def _inner4(y: Spectra, x: Single, step: Pass) -> None:
    up0, up1, down1, down2 = y[:, step.up(0)], y[:, step.up(1)], y[:, step.down(1)], y[:, step.down(2)]
    total0, difference0, total1, difference1 = up0 + down2, up0 - down2, up1 + down1, up1 - down1
    np.add(total0[0], total1[0], out=x[0, :, 0])
    np.add(difference0[1], difference1[1], out=x[1, :, 0])
    np.subtract(total0[0], total1[0], out=x[0, :, 2])
    np.subtract(difference0[1], difference1[1], out=x[1, :, 2])
    _both(x, 1, 3, (difference0[0], total0[1]), (total1[1], difference1[0]))


def _inner5(y: Spectra, x: Single, step: Pass) -> None:
    base, up1, up2, down1, down2 = (y[:, bins] for bins in (*map(step.up, range(3)), *map(step.down, (1, 2))))
    total1, difference1, total2, difference2 = up1 + down1, up1 - down1, up2 + down2, up2 - down2
    one, two = (total1[0], difference1[1]), (total2[0], difference2[1])
    for k in range(2):
        np.add(base[k] + one[k], two[k], out=x[k, :, 0])
    real, imag = (_cosines(base[k], one[k], two[k]) for k in range(2))
    turned_real, turned_imag = _sines(total1[1], total2[1]), _sines(difference1[0], difference2[0])
    _both(x, 1, 4, (real[0], imag[0]), (turned_real[0], turned_imag[0]))
    _both(x, 2, 3, (real[1], imag[1]), (turned_real[1], turned_imag[1]))


def _cosines(base: Single, one: Single, two: Single) -> tuple[Single, Single]:
    return np.add(base + COS_72 * one, COS_144 * two), np.add(base + COS_144 * one, COS_72 * two)


def _sines(one: Single, two: Single) -> tuple[Single, Single]:
    return np.add(SIN_72 * one, SIN_144 * two), np.subtract(SIN_144 * one, SIN_72 * two)


def _both(x: Single, first: int, second: int, base: tuple[Single, Single], turned: tuple[Single, Single]) -> None:
    """Write ``base`` plus ``turned`` times i into one spectrum of each group, and minus into another."""
    np.subtract(base[0], turned[0], out=x[0, :, first])
    np.add(base[1], turned[1], out=x[1, :, first])
    np.add(base[0], turned[0], out=x[0, :, second])
    np.subtract(base[1], turned[1], out=x[1, :, second])


_FIRST = {2: _first2, 3: _first3, 4: _first4, 5: _first5}
_INNER = {2: _inner2, 3: _inner3, 4: _inner4, 5: _inner5}
# Odd factors come after the even ones, so their lengths are odd.
_LAST = {2: _last2, 4: _last4}
