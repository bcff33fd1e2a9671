"""Extrapolate values to infinitely many videos, from all and from halves.

Sources: Chong and Forsyth, "Effectively unbiased FID and Inception Score", CVPR 2020, with two sizes and no line fit,
and with source videos in the place of independent samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from foleybench.clips import FloatArray, IntArray

# Number of random halvings; each gives two halves.
_N_HALVINGS = 8
# Assumed correlation of clips of one video, which matters only where videos have unequal numbers of clips.
_ALIKE = 0.5


def extrapolated(value_of: Callable[[IntArray], float], sources: Sequence[str]) -> float:
    """Return the value of infinitely many videos, to first order, where the bias falls as 1 / (number of videos).

    If halves have f times the bias of the whole, ``(f * value - mean of the halves) / (f - 1)`` is free of it. With
    equally many clips a video f is the number of videos over that in a half (a little over two for an odd number);
    else it is that of a mean whose clips of one video correlate by one half.

    Args:
        value_of: The value of the clips at some positions, shape (k,).
        sources: For each clip the video that it was cut from.

    Returns:
        NaN for fewer than four videos.

    Example:
        >>> round(extrapolated(lambda chosen: 5.0 + 3.0 / len(chosen), list("abcdefg")), 9)
        5.0
    """
    videos = _positions(sources)
    half = len(videos) // 2
    if half < 2:
        return float("nan")
    rng = np.random.default_rng(0)
    sizes = np.array([len(members) for members in videos], dtype=np.float64)
    values, biases = [], []
    for _ in range(_N_HALVINGS):
        order = rng.permutation(len(videos))
        for chosen in (order[:half], order[half : 2 * half]):
            values.append(value_of(np.concatenate([videos[index] for index in chosen])))
            biases.append(_bias(sizes[chosen]))
    share = _bias(sizes) / float(np.mean(biases))
    return (value_of(np.concatenate(videos)) - share * float(np.mean(values))) / (1.0 - share)


def _positions(sources: Sequence[str]) -> list[IntArray]:
    """Return, per video in the order of its first clip, the positions of its clips."""
    members: dict[str, list[int]] = {}
    for position, source in enumerate(sources):
        members.setdefault(source, []).append(position)
    return [np.asarray(found, dtype=np.int64) for found in members.values()]


def _bias(sizes: FloatArray) -> float:
    """Return the bias of videos with these numbers of clips, in units of that of one clip."""
    return float(np.sum(sizes + sizes * (sizes - 1.0) * _ALIKE) / np.sum(sizes) ** 2)
