"""In sync: share of windows whose offset is within 0.2 s.

The likeliest offset is -0.2, 0 or 0.2 s; offsets under 0.1 s are invisible. A mean of sizes mixes few large offsets
with many small ones; this metric counts windows. A random choice among the 21 offsets scores 14 %.
"""

from __future__ import annotations

import numpy as np

from foleybench.clips import FloatArray
from foleybench.metrics._families.offsets import likeliest, offset_metric

# One class, and half of one for rounding.
WITHIN_S = 0.3


def _sums(logits: FloatArray) -> dict[str, float]:
    return {"within": float(np.count_nonzero(np.abs(likeliest(logits)) < WITHIN_S))}


METRIC = offset_metric(
    _sums,
    statistic="within",
    title="In sync",
    source="foleybench, on av-benchmark@050a5cd av_bench/evaluate.py; tolerance of one class as in Synchformer@b66668a",
    unit="%",
    better="higher",
    ideal=100.0,
    worst=0.0,
    factor=100.0,
)
