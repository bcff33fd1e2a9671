"""Compute functions with the same bits on every processor.

NumPy has routines of its own for powers, exponentials and angles where the processor has AVX-512; elsewhere it takes
the C library's, whose last bits differ. A corpus whose bytes are its identity takes the C library's everywhere.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.clips import FloatArray

Single = npt.NDArray[np.float32]


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
    """Return ``base ** exponent`` in single precision, for numbers on one axis."""
    numbers, raised = np.asarray(base, dtype=np.float32), np.float32(exponent)
    return np.fromiter((number**raised for number in numbers), dtype=np.float32, count=len(numbers))


def exponential(x: FloatArray) -> FloatArray:
    """Return ``exp(x)`` of numbers on one axis, float64."""
    return np.fromiter(map(math.exp, x.tolist()), dtype=np.float64, count=len(x))


def angle(v: npt.NDArray[np.floating[Any]], u: npt.NDArray[np.floating[Any]]) -> Single:
    """Return the angle of points in radians, -pi to pi, in single precision.

    Args:
        v: Down, any shape.
        u: Right, a shape that fits.
    """
    points = np.empty(np.broadcast_shapes(v.shape, u.shape), dtype=np.complex64)
    points.real, points.imag = u, v
    # The logarithm of complex numbers is the C library's, and its imaginary part is the angle. That of 0 has one too.
    with np.errstate(divide="ignore"):
        logarithm: npt.NDArray[np.complex64] = np.log(points)
    return logarithm.imag
