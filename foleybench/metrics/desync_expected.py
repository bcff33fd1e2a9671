"""DeSync (expected): mean expected size of the offset over Synchformer's softmax.

``desync`` takes the size of the likeliest offset instead. This value changes smoothly with the
probabilities, so it separates systems that steps of 0.2 s do not, and two nearly equal offsets do not make the value
jump. No published value compares with this one. An undecided network gives a middle value (1.05 s when all offsets are
as likely), so real audio is well above 0: read the value beside the control rows.
"""

from __future__ import annotations

from foleybench.clips import FloatArray
from foleybench.metrics._families.offsets import expected_size, offset_metric


def _sums(logits: FloatArray) -> dict[str, float]:
    return {"offset": float(expected_size(logits).sum())}


METRIC = offset_metric(
    _sums,
    statistic="offset",
    title="DeSync (expected)",
    source="foleybench, on the logits of av-benchmark@050a5cd av_bench/evaluate.py",
)
