"""Draw single-precision normal numbers alike with every C library.

NumPy draws them by a ziggurat, whose tail (one number in 4,000) takes logarithms of the C library. They have other last
bits from glibc 2.41 on, which changes one number in a million. The tail is computed here, by the logarithm of FDLIBM
that older ones have (source: ``glibc@glibc-2.36 sysdeps/ieee754/flt-32/s_log1pf.c``).

What is left to NumPy and the C library: normal numbers in double precision (of rooms, materials and ladders), tails
included, and the exponential in double precision by which a number of another layer is kept or drawn again. A last bit
there can change a last bit of a number, and hardly ever which numbers are kept; audio has single precision.
"""

from __future__ import annotations

import math

import numpy as np

from foleybench.synthesis.portable import Single

# Where the tail begins, and one over it (source: ``numpy@v2.4.6 numpy/random/src/distributions/ziggurat_constants.h``).
_TAIL, _OVER_TAIL = np.float32(3.6541528853610088), np.float32(0.27366123732975828)
_LAYERS = 256
_ONE, _TWO, _HALF = np.float32(1.0), np.float32(2.0), np.float32(0.5)
_LN2_HIGH, _LN2_LOW = np.float32(6.9313812256e-01), np.float32(9.0580006145e-06)
# Farthest below 0 where the logarithm of 1 + x takes one series, and half of what is split off elsewhere.
_NEAR, _ROOT_HALF = np.float32(-0.2928933799266815), np.float32(0.7071070075035095)
# Factors of powers 7 to 1 of (f / (2 + f))^2 in the logarithm of 1 + f.
_SERIES = (
    np.float32(1.4798198640e-01),
    np.float32(1.5313838422e-01),
    np.float32(1.8183572590e-01),
    np.float32(2.2222198546e-01),
    np.float32(2.8571429849e-01),
    np.float32(4.0000000596e-01),
    np.float32(6.6666668653e-01),
)


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Single:
    """Return normal numbers of mean 0 and deviation 1, as ``rng.standard_normal(shape, dtype=np.float32)`` does.

    Where NumPy keeps another number of the tail than these logarithms do, it has drawn more or fewer words, and all
    numbers after it are drawn anew.

    Args:
        rng: A generator on PCG64.
        shape: Shape of the result.
    """
    state = rng.bit_generator.state
    out = rng.standard_normal(shape, dtype=np.float32)
    flat = out.reshape(-1)
    in_tail = np.flatnonzero(np.abs(flat) > _TAIL).tolist()
    if in_tail:
        again = np.random.Generator(np.random.PCG64(0))
        again.bit_generator.state = state
        for before, at in zip([-1, *in_tail], in_tail, strict=False):
            again.standard_normal(at - before - 1, dtype=np.float32)
            flat[at] = np.copysign(_from_tail(again), flat[at])
        again.standard_normal(len(flat) - in_tail[-1] - 1, dtype=np.float32)
        if again.bit_generator.state != rng.bit_generator.state:
            rng.bit_generator.state = state
            _fill(flat, rng)
    return out


def _fill(out: Single, rng: np.random.Generator) -> None:
    """Draw all numbers without NumPy's tail: those after a number of the tail are drawn anew, from where it ends."""
    while len(out):
        state = rng.bit_generator.state
        rng.standard_normal(out=out, dtype=np.float32)
        in_tail = np.flatnonzero(np.abs(out) > _TAIL)
        if not len(in_tail):
            return
        at = int(in_tail[0])
        rng.bit_generator.state = state
        rng.standard_normal(at, dtype=np.float32)
        out[at] = np.copysign(_from_tail(rng), out[at])
        out = out[at + 1 :]


def _from_tail(rng: np.random.Generator) -> np.float32:
    """Return the next number of a generator, one of the tail, without its sign."""
    # The lowest bits of a word name a layer, and 0 is the tail's. Words of other layers were rejected by a second word.
    while rng.integers(1 << 32, dtype=np.uint32) % _LAYERS:
        rng.random(dtype=np.float32)
    while True:
        past = -_OVER_TAIL * log1p(-np.float32(rng.random(dtype=np.float32)))
        limit = -log1p(-np.float32(rng.random(dtype=np.float32)))
        if limit + limit > past * past:
            return _TAIL + past


def log1p(x: np.float32) -> np.float32:
    """Return log(1 + x) in single precision; x is -k / 2^24, where k is a whole number from 0 to 2^24 - 1."""
    if x == 0.0:
        return x
    if x >= _NEAR:
        square, rest = _of_one_plus(x)
        return x - (square - rest)
    # The sum is exact. FDLIBM has a series for sums very near a power of 2; the only one here that is, of
    # x = -(2^23 + 1) / 2^24, has the same bits without it.
    mantissa, exponent = math.frexp(_ONE + x)
    f, power = np.float32(mantissa), np.float32(exponent)
    if f < _ROOT_HALF:
        f, power = f * _TWO, power - _ONE
    f -= _ONE
    square, rest = _of_one_plus(f)
    return power * _LN2_HIGH - ((square - (rest + power * _LN2_LOW)) - f)


def _of_one_plus(f: np.float32) -> tuple[np.float32, np.float32]:
    """Return half the square of ``f``, and what the logarithm of 1 + f has beside it and ``f``."""
    square = _HALF * f * f
    s = f / (_TWO + f)
    z = s * s
    series = _SERIES[0]
    for factor in _SERIES[1:]:
        series = factor + z * series
    return square, s * (square + z * series)
