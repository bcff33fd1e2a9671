"""From Synchformer's logits to offsets in seconds, and what the sync metrics share."""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Need
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import read

NEEDS = {"windows": Need(encoder="synchformer_offset", layer="windows", of="generated")}
UNDEFINED = "no clip of 8 s or more was scored"
SOURCE = "av-benchmark@050a5cd av_bench/evaluate.py"


def grid(n: int) -> FloatArray:
    """Return the offsets that n classes stand for, from -2 to 2 s.

    Example:
        >>> grid(5).tolist()
        [-2.0, -1.0, 0.0, 1.0, 2.0]
    """
    return np.linspace(-2.0, 2.0, n)


def likeliest(clip: ClipView) -> FloatArray:
    """Return the likeliest offset of each window in seconds; empty when the clip is too short to be judged."""
    logits = read(clip, "windows")
    return np.asarray(grid(logits.shape[1])[logits.argmax(axis=1)])


def expected_size(clip: ClipView) -> FloatArray:
    """Return the expected size of the offset of each window in seconds, over the softmax of the logits."""
    logits = read(clip, "windows")
    likelihood = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    likelihood /= likelihood.sum(axis=1, keepdims=True)
    return np.asarray(likelihood @ np.abs(grid(logits.shape[1])))
