"""Check that a clip's features are finite and of one shape."""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Need
from foleybench.clips import FloatArray
from foleybench.errors import FoleyError
from foleybench.metrics._math.finite import finite


def read_feature(clip: ClipView, name: str) -> FloatArray:
    """Return a feature as float64.

    Raises:
        FoleyError: The feature holds a value that is not finite.
    """
    return finite(clip[name], f"feature {name!r} of clip {clip.clip_id!r}")


def read_pair(clip: ClipView, first: str, second: str) -> tuple[FloatArray, FloatArray]:
    """Return two features of one shape as float64.

    Raises:
        FoleyError: One is not finite, or the shapes differ.
    """
    one, two = read_feature(clip, first), read_feature(clip, second)
    if one.shape != two.shape:
        raise FoleyError(
            f"clip {clip.clip_id!r}: {first!r} has shape {one.shape} and {second!r} {two.shape}; "
            "cut or pad the audio to the clip's length before features are made."
        )
    return one, two


def scalar(value: float) -> FloatArray:
    """Return a statistic of one number."""
    return np.asarray(value, dtype=np.float64)


def both(encoder: str, layer: str) -> dict[str, Need]:
    """Return the needs of a metric that compares one feature of reference and generated audio."""
    return {
        "reference": Need(encoder=encoder, layer=layer, of="reference"),
        "generated": Need(encoder=encoder, layer=layer, of="generated"),
    }
