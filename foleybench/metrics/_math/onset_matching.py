"""Match two lists of times one to one."""

from __future__ import annotations

import numpy as np

from foleybench.clips import FloatArray

# Differences of seconds are exact only to rounding: 1.05 - 1.0 exceeds 0.05, but a pair at exactly the tolerance must
# match.
SLACK_S = 1e-9


def count_matches(reference_s: FloatArray, generated_s: FloatArray, tolerance_s: float) -> int:
    """Count the most pairs that can be made, each time used once, no pair further apart than the tolerance.

    Args:
        reference_s: Times in seconds, increasing, shape (n_reference,).
        generated_s: Times in seconds, increasing, shape (n_generated,).
        tolerance_s: Largest allowed distance; a pair at exactly this distance matches.

    Returns:
        Size of the largest one-to-one matching. For one tolerance, pairing the earliest two that fit is optimal.

    Example:
        >>> count_matches(np.array([1.0, 2.0]), np.array([1.05, 1.96, 2.01]), 0.05)
        2
    """
    i = j = n = 0
    while i < len(reference_s) and j < len(generated_s):
        gap = generated_s[j] - reference_s[i]
        if abs(gap) <= tolerance_s + SLACK_S:
            n, i, j = n + 1, i + 1, j + 1
        elif gap > 0:
            i += 1
        else:
            j += 1
    return n


def nearest_pairs(reference_s: FloatArray, generated_s: FloatArray, tolerance_s: float) -> FloatArray:
    """Return the offsets of the cheapest matching, where leaving a time alone costs half the tolerance.

    So every pair within the tolerance is better than none, and an extra or missing onset does not shift the pairs of
    its neighbours, as the largest matching would.

    Args:
        reference_s: Times in seconds, increasing, shape (n_reference,).
        generated_s: Times in seconds, increasing, shape (n_generated,).
        tolerance_s: Largest allowed distance.

    Returns:
        ``generated - reference`` of each pair in time order, shape (n_pairs,).

    Example:
        >>> nearest_pairs(np.array([1.0, 1.2, 1.4]), np.array([1.2, 1.4, 1.65]), 0.3).tolist()
        [0.0, 0.0]
    """
    costs = _costs(reference_s, generated_s, tolerance_s)
    i, j = len(reference_s), len(generated_s)
    alone = tolerance_s / 2
    offsets = []
    while i and j:
        if costs[i][j] == costs[i - 1][j] + alone:
            i -= 1
        elif costs[i][j] == costs[i][j - 1] + alone:
            j -= 1
        else:
            i, j = i - 1, j - 1
            offsets.append(generated_s[j] - reference_s[i])
    return np.asarray(offsets[::-1], dtype=np.float64)


def _costs(reference_s: FloatArray, generated_s: FloatArray, tolerance_s: float) -> list[list[float]]:
    """Cost of matching the first i with the first j times; pairs that cross are never cheaper, so this is enough."""
    alone = tolerance_s / 2
    costs = [[j * alone for j in range(len(generated_s) + 1)]]
    for i, reference in enumerate(reference_s, start=1):
        above, row = costs[-1], [i * alone]
        for j, generated in enumerate(generated_s, start=1):
            best = min(above[j] + alone, row[j - 1] + alone)
            distance = abs(float(generated) - float(reference))
            if distance <= tolerance_s + SLACK_S:
                # a little cheaper, so that a pair at exactly the tolerance is made
                best = min(best, above[j - 1] + distance - 2 * SLACK_S)
            row.append(best)
        costs.append(row)
    return costs
