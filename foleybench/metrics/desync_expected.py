"""DeSync (expected): mean expected size of the offset over Synchformer's softmax.

``desync`` takes the size of the likeliest offset instead. This value moves with the network's doubt, so it tells
systems apart that the steps of 0.2 s do not, and two offsets that are nearly as likely do not make it jump. It compares
with no published value. A network in doubt gives a middling value (1.05 s when all offsets are as likely), so real
audio is well above 0: read the value beside the control rows.
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
