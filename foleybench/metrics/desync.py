"""DeSync: mean size of the offset between audio and video.

The likeliest of Synchformer's offsets, as av-benchmark computes it: the value of MMAudio and those who follow it. It
goes in steps of 0.2 s and is blind to offsets under 0.1 s. Real audio does not score 0, since the network errs: read
the value beside the control rows (ground truth, shifted).

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
