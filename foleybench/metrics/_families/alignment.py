"""What the Align Acc metrics share: the share of clips whose probability of being aligned is above one half."""

from __future__ import annotations

from foleybench.api.metric import ClipView, Stat
from foleybench.metrics._families.features import read, scalar
from foleybench.stats.pools import Ratio

THRESHOLD = 0.5
POOL = Ratio("aligned", factor=100.0)


def per_clip(clip: ClipView) -> Stat | None:
    """Return whether a clip is taken to be aligned (exactly one half is not), and its probability.

    Returns:
        None when the clip has no probability, being too short for the classifier.
    """
    probability = read(clip, "probability")
    if not probability.size:
        return None
    value = float(probability.reshape(-1)[0])
    return {"aligned": scalar(float(value > THRESHOLD)), "probability": scalar(value)}
