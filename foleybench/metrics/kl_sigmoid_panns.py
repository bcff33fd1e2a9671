"""KL sigmoid (PANNs): half of a divergence, as av-benchmark computes it."""

from __future__ import annotations

from foleybench.metrics._families.divergence import kl_sigmoid_metric

METRIC = kl_sigmoid_metric(
    encoder="panns_16k",
    title="KL sigmoid (PANNs), no KL",
    source="av-benchmark@050a5cd metrics/kl.py (kl_sigmoid)",
)
