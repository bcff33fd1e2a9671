"""Silent share difference: between the shares of silent time.

Silent is a step of 10 ms whose level, over 25 ms around it, is below -60 dB re full scale. Audio where there should be
none and silence where there should be audio weigh the same; when they occur does not matter.
"""

from __future__ import annotations

import numpy as np

from foleybench.clips import FloatArray
from foleybench.metrics._families.differences import difference_metric
from foleybench.metrics._families.silence import SILENT_DB


def _apart(reference: FloatArray, generated: FloatArray) -> float:
    shares = [float(np.mean(level < SILENT_DB)) for level in (reference, generated)]
    return abs(shares[1] - shares[0])


METRIC = difference_metric(
    _apart,
    encoder="envelope",
    layer="level_db",
    title="Silent share difference",
    unit="%",
    worst=100.0,
    source="foleybench",
    factor=100.0,
)
