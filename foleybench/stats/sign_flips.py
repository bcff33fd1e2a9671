"""Compute intervals and p-values by flipping signs of whole videos.

If a value deviates from its truth by a sum over videos, and each video's part is as likely positive as negative, then
flipping signs at random shows the size of such a sum by chance. The method needs neither normal values nor many videos
nor equal numbers of clips: with independent symmetric parts the level holds exactly.

Source: Fisher 1935; inversion of the test, Lehmann and Romano, "Testing Statistical Hypotheses", 2005, section 5.10.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from foleybench.clips import FloatArray

# Up to this many sign vectors are all tried: 13 videos.
_ALL = 4096
# Signs held at a time.
_BLOCK = 4_000_000
# Differences below this share of a threshold are rounding.
ROUNDING = 1e-9


class Flips(NamedTuple):
    """The largest distance between value and supposed truth that each sign vector reaches.

    Attributes:
        below: Thresholds for truths below the value, falling, shape (k,); the first is infinite (no sign flipped).
        above: The same for truths above the value.
    """

    below: FloatArray
    above: FloatArray

    def p_value(self, deviation: float) -> float:
        """Return the two-sided p-value of a truth that lies ``deviation`` below the value."""
        thresholds = self.below if deviation >= 0 else self.above
        reached = np.count_nonzero(thresholds >= abs(deviation) * (1 - ROUNDING))
        return float(reached / len(thresholds))

    def reach(self, level: float) -> tuple[float, float]:
        """Return the distances from the value to the interval's ends: truths with a p-value of 1 - level or more.

        Infinite where no truth can be rejected at this level: five videos have 16 sign vectors.
        """
        rank = max(1, int(np.ceil((1 - level) * len(self.below) - ROUNDING)))
        return float(self.below[rank - 1]), float(self.above[rank - 1])


def flips(influence: FloatArray, weights: FloatArray, *, rng: np.random.Generator, draws: int) -> Flips:
    """Return the thresholds of sign vectors.

    A video's part in the deviation of the value from a supposed truth u below it is ``influence + u * weights``. Under
    signs e the sum is ``P + u W`` with ``P = e . influence`` and ``W = e . weights``, and it reaches u when
    ``u <= P / (1 - W)`` (P taken positive, both signs being tried): one threshold for each sign vector and its
    opposite, so that p-value and interval come from the same numbers.

    Args:
        influence: Influence of each video on the value, sum 0, shape (n,).
        weights: Share of each video in the value, sum 1, none negative, shape (n,).
        rng: The only source of randomness; not used while all sign vectors can be tried.
        draws: Number of sign vectors to draw when there are too many to try all.
    """
    n = len(influence)
    if 2 ** min(n - 1, 60) <= max(draws, _ALL):
        signs = 1.0 - 2.0 * ((np.arange(2 ** (n - 1))[:, None] >> np.arange(n)) & 1)
        sums = signs @ np.column_stack([influence, weights])
    else:
        step = max(1, _BLOCK // n)
        drawn = [_random_signs(rng, min(step, draws - start), n) for start in range(0, draws, step)]
        sums = np.concatenate([[[0.0, 1.0]], *(signs @ np.column_stack([influence, weights]) for signs in drawn)])
    deviation, balance = np.abs(sums[:, 0]), np.sign(sums[:, 0]) * sums[:, 1]
    below, above = (_thresholds(deviation, side) for side in (balance, -balance))
    below[0] = above[0] = np.inf
    return Flips(np.sort(below)[::-1], np.sort(above)[::-1])


def _random_signs(rng: np.random.Generator, rows: int, n: int) -> FloatArray:
    width = -(-n // 8)
    bits = np.unpackbits(np.frombuffer(rng.bytes(rows * width), dtype=np.uint8).reshape(rows, width), axis=1)
    return np.asarray(1.0 - 2.0 * bits[:, :n], dtype=np.float64)


def _thresholds(deviation: FloatArray, balance: FloatArray) -> FloatArray:
    rest = 1.0 - balance
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = np.where(rest > ROUNDING, deviation / rest, np.where(deviation > 0, np.inf, 0.0))
    return np.asarray(reached, dtype=np.float64)
