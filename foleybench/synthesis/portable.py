"""Compute functions with the same bits on every processor.

NumPy has routines of its own for powers, exponentials and angles where the processor has AVX-512; elsewhere it takes
the C library's, whose last bits differ. A corpus whose bytes are its identity takes the C library's everywhere, but for
angles, which changed in glibc 2.41: those are computed here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.clips import FloatArray

Single = npt.NDArray[np.float32]
# What a double has past the last bit of a single, and where singles have all of their bits.
_STEP, _SMALL, _LARGE = 1 << 29, 1e-37, 1e38
_PI, _PI_LOW = np.float32(3.1415927410), np.float32(-8.7422776573e-08)
# Few enough points to stay in a processor's cache.
_AT_ONCE = 8192
# From the first on a tangent is that of a right angle, as which the second comes out.
_STEEP, _STEEPEST = np.float32(2.0**25), np.float32(1e30)
# Tangents between which the series is taken at that of another number near: t becomes (a t - b) / (c + d t), and
# the arctangent that of the number is added in two parts. Columns: 0, 1/2, 1, 3/2, infinity.
_BOUNDS = np.array([0.4375, 0.6875, 1.1875, 2.4375], dtype=np.float32)
_NEAR = np.array(
    [
        [1.0, 2.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, 1.0, 1.5, 1.0],
        [1.0, 2.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, 1.0, 1.5, 1.0],
        [0.0, 4.6364760399e-01, 7.8539812565e-01, 9.8279368877e-01, 1.5707962513e00],
        [0.0, 5.0121582440e-09, 3.7748947079e-08, 3.4473217170e-08, 7.5497894159e-08],
    ],
    dtype=np.float32,
)
_SERIES = np.array(
    [
        *(3.3333334327e-01, -2.0000000298e-01, 1.4285714924e-01, -1.1111110449e-01, 9.0908870101e-02),
        *(-7.6918758452e-02, 6.6610731184e-02, -5.8335702866e-02, 4.9768779427e-02, -3.6531571299e-02),
        1.6285819933e-02,
    ],
    dtype=np.float32,
)


def power(base: npt.ArrayLike, exponent: npt.ArrayLike) -> FloatArray:
    """Return ``base ** exponent``.

    Args:
        base: Numbers, any shape; not negative.
        exponent: Numbers of a shape that fits.

    Returns:
        The common shape, float64.
    """
    bases, exponents = np.broadcast_arrays(np.asarray(base, dtype=np.float64), np.asarray(exponent, dtype=np.float64))
    found = map(math.pow, bases.ravel().tolist(), exponents.ravel().tolist())
    return np.fromiter(found, dtype=np.float64, count=bases.size).reshape(bases.shape)


def power32(base: npt.ArrayLike, exponent: float) -> Single:
    """Return ``base ** exponent`` in single precision, for numbers on one axis that are not negative.

    The C library's powers are the nearest single number, but for some within 1/400 of the step between two of them from
    where two are equally near (measured with glibc 2.36 and 2.41, for exponents of 6 and from -0.12 to 0.12). Only
    those within 1/64 are asked of it, one by one, as are very small and large ones.
    """
    numbers, raised = np.asarray(base, dtype=np.float32), np.float32(exponent)
    with np.errstate(divide="ignore", over="ignore"):
        wide = np.power(numbers.astype(np.float64), np.float64(raised))
        out = wide.astype(np.float32)
        past = wide.view(np.int64) & (_STEP - 1)
        asked = (np.abs(past - _STEP // 2) < _STEP // 64) | (wide < _SMALL) | (wide > _LARGE)
        out[asked] = np.fromiter((number**raised for number in numbers[asked]), dtype=np.float32)
    return out


def exponential(x: FloatArray) -> FloatArray:
    """Return ``exp(x)`` of numbers on one axis, float64."""
    return np.fromiter(map(math.exp, x.tolist()), dtype=np.float64, count=len(x))


def angle(v: npt.NDArray[np.floating[Any]], u: npt.NDArray[np.floating[Any]]) -> Single:
    """Return the angle of points in radians, -pi to pi, in single precision.

    Its bits are those of FDLIBM's ``atan2f``, which glibc has before 2.41 (source: ``glibc@glibc-2.36
    sysdeps/ieee754/flt-32/e_atan2f.c`` and ``s_atanf.c``).

    Args:
        v: Down, any shape.
        u: Right, a shape that fits.
    """
    down, right = np.broadcast_arrays(np.asarray(v, dtype=np.float32), np.asarray(u, dtype=np.float32))
    out = np.empty(down.shape, dtype=np.float32)
    found, down, right = out.reshape(-1), down.reshape(-1), right.reshape(-1)
    for start in range(0, len(found), _AT_ONCE):
        block = slice(start, start + _AT_ONCE)
        found[block] = _angle(down[block], right[block])
    return out


def _angle(down: Single, right: Single) -> Single:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        tangent = np.abs(down / right)
    tangent[down == 0.0] = 0.0
    tangent[tangent >= _STEEP] = _STEEPEST
    past = _arctangent(tangent)
    left = np.signbit(right) & ((right != 0.0) | (down == 0.0))
    return np.asarray(np.copysign(np.where(left, _PI - (past - _PI_LOW), past), down), dtype=np.float32)


def _arctangent(tangent: Single) -> Single:
    """Return the arctangent, the tangent being 0 or above: that of a near number, and the rest by a series."""
    near = sum((tangent >= bound).view(np.int8) for bound in _BOUNDS)
    above, minus, plus, below, high, low = (column.take(near) for column in _NEAR)
    x = (above * tangent - minus) / (plus + below * tangent)
    z = x * x
    w = z * z
    odd, even = _SERIES[10], _SERIES[9]
    for k in (8, 6, 4, 2, 0):
        odd = _SERIES[k] + w * odd
    for k in (7, 5, 3, 1):
        even = _SERIES[k] + w * even
    return np.asarray(high - ((x * (z * odd + w * even) - low) - x), dtype=np.float32)
