"""DeSync: mean size of the offset between audio and video.

The offset is the likeliest of Synchformer's, as in av-benchmark: the value of MMAudio and papers that follow it.
Offsets go in steps of 0.2 s, and those under 0.1 s are invisible. Real audio does not score 0, since the network errs:
read the value beside the control rows (ground truth, shifted).

The clip table also keeps the signed mean (positive: the audio comes early).
"""

from __future__ import annotations

import numpy as np

from foleybench.clips import FloatArray
from foleybench.metrics._families.offsets import likeliest, offset_metric


def _sums(logits: FloatArray) -> dict[str, float]:
    offsets = likeliest(logits)
    return {"offset": float(np.abs(offsets).sum()), "signed_mean": float(offsets.mean())}


METRIC = offset_metric(
    _sums,
    statistic="offset",
    title="DeSync",
    source='av-benchmark@050a5cd av_bench/evaluate.py; Iashin et al., "Synchformer", ICASSP 2024',
)
