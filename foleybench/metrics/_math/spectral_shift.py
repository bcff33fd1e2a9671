"""Shift in pitch between two sets of partials."""

from __future__ import annotations

import numpy as np

from foleybench.clips import FloatArray

LARGEST = 12.0
_STEP = 0.1
_WIDTH = 0.5
# Partials further below the strongest one than this do not count.
_RANGE_DB = 30.0


def shift_semitones(reference: FloatArray, generated: FloatArray) -> float | None:
    """Return by how much the generated partials lie higher than the reference's.

    Every pair of partials, one of each set, votes for its own distance with a triangle one semitone wide, weighted by
    how far both stand above 30 dB below the strongest of their set; the shift with most votes wins, the smaller one
    where two have as many.

    Args:
        reference: Frequencies in Hz and levels in dB, shape (n, 2); frequencies of 0 are empty places.
        generated: As ``reference``, shape (m, 2).

    Returns:
        Semitones, -12 to 12 in steps of 0.1; None when either set is empty or no pair lies within 12.

    Example:
        >>> import numpy as np
        >>> hits = np.array([[440.0, -10.0], [1200.0, -20.0]])
        >>> shift_semitones(hits, hits * [2 ** (3 / 12), 1.0])
        3.0
    """
    notes, weights = zip(*map(_weighed, (reference, generated)), strict=True)
    distances = (notes[1][None, :] - notes[0][:, None]).ravel()
    strength = (weights[0][:, None] * weights[1][None, :]).ravel()
    n_steps = round(LARGEST / _STEP)
    shifts = np.arange(-n_steps, n_steps + 1) * _STEP
    votes = np.maximum(0.0, 1.0 - np.abs(distances[None, :] - shifts[:, None]) / _WIDTH) @ strength
    if not votes.max(initial=0.0) > 0.0:
        return None
    most = shifts[votes >= votes.max() * (1.0 - 1e-9)]
    return round(float(most[np.argmin(np.abs(most))]), 1)


def _weighed(partials: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the partials in semitones above 1 Hz and their weights, both without empty places."""
    there = partials[partials[:, 0] > 0.0]
    if not len(there):
        return np.zeros(0), np.zeros(0)
    above = there[:, 1] - (there[:, 1].max() - _RANGE_DB)
    return 12.0 * np.log2(there[:, 0]), np.maximum(0.0, above) / _RANGE_DB
