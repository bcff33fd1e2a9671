"""Values extrapolated to infinitely many clips, from all and from halves.

Sources: Chong and Forsyth, "Effectively unbiased FID and Inception Score", CVPR 2020, with two sizes and no line fit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from foleybench.clips import IntArray

# Random halvings; each gives two halves.
_N_HALVINGS = 8


def extrapolated(value_of: Callable[[IntArray], float], n: int) -> float:
    """Return the value of infinitely many clips, to first order, where the bias falls as 1 / (number of clips).

    With a share s of the clips the bias is 1 / s as large, so ``(value - s * mean of the halves) / (1 - s)`` is free of
    it; for an odd number of clips s is a little under one half.

    Args:
        value_of: The value of the clips at some positions, shape (k,).
        n: Number of clips.

    Returns:
        NaN for fewer than four clips.

    Example:
        >>> round(extrapolated(lambda chosen: 5.0 + 3.0 / len(chosen), 7), 9)
        5.0
    """
    half = n // 2
    if half < 2:
        return float("nan")
    rng = np.random.default_rng(0)
    halves = []
    for _ in range(_N_HALVINGS):
        order = rng.permutation(n)
        halves += [value_of(order[:half]), value_of(order[half : 2 * half])]
    share = half / n
    return (value_of(np.arange(n)) - share * float(np.mean(halves))) / (1.0 - share)
